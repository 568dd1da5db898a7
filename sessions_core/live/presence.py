"""Presence between processes: sends the list of who is present to local readers and other processes when it changes.

A Session costs time only when something is due for it: a change, a device that becomes idle, or the repeat of its list. Other
processes are sent the newest list of each Session, many in one round trip, and over a connection that no hint uses.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import islice
from typing import Final
from uuid import UUID, uuid4

import msgspec

from sessions_core.hints import Message, messages
from sessions_core.machines.agenda import Agenda
from sessions_core.machines.roster import MISSES, Roster, repeat_s
from sessions_core.machines.send_buffer import Frame, Full, SendBuffer, size_of
from sessions_core.protocol.author import Author
from sessions_core.protocol.frames import Presence, PresentDevice, encode
from sessions_core.protocol.ids import DeviceId, SessionId, UserId

logger = logging.getLogger(__name__)

UPDATE_S: Final = 0.25  # changes within it are sent together, so that many who come and go cost no more than a few
FRAMES_PER_S: Final = 50  # of one Session, over all its local readers: with more readers the list is sent less often
PAUSE_AT_MOST_S: Final = 5.0
FULL_S: Final = 1.0  # after it a list is offered again to a send buffer that was full
TURN_S: Final = 0.003  # of updates in one turn of the event loop; then others have theirs
BATCH: Final = 64  # lists in one round trip

_DEVICES: Final = msgspec.json.Decoder(tuple[PresentDevice, ...])

Send = Callable[[Sequence[tuple[str, Message]]], Awaitable[object]]


class _SessionPresence:
    """The roster of one Session, its local readers, and which lists they and the other processes have been sent."""

    def __init__(self) -> None:
        self.roster = Roster()
        self.send_buffers: dict[int, SendBuffer] = {}
        self.behind: set[int] = set()  # send buffers that have not taken the newest list
        self.announced: tuple[PresentDevice, ...] | None = None  # our own devices, as the other processes know them
        self.shown: tuple[PresentDevice, ...] | None = None  # all devices, as the readers know them
        self.frame: Frame | None = None  # `shown`, encoded
        self.next_update = 0.0  # the loop's time before which the list is not sent again
        self.repeat_at = 0.0
        self.asks = True  # our first list asks the others for theirs


class PresenceTracker:
    """The presence in all Sessions that have readers in this process. `send` sends messages to groups, or loses them."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._process = uuid4().hex
        self._time = asyncio.get_running_loop().time
        self._sessions: dict[SessionId, _SessionPresence] = {}
        self._agenda: Agenda[SessionId] = Agenda()
        self._outgoing: dict[SessionId, Message] = {}  # of each Session only the newest list
        self._wanted = asyncio.Event()  # something is outgoing

    def arrive(self, session: SessionId, send_buffer: SendBuffer, by: Author, device: DeviceId, *, label: str) -> None:
        """Adds a reader, which is sent the list at the next update."""
        now = self._time()
        presence = self._sessions.get(session)
        if presence is None:
            presence = self._sessions[session] = _SessionPresence()
        presence.roster.arrive(by, device, label=label, now=now)
        presence.send_buffers[id(send_buffer)] = send_buffer
        presence.behind.add(id(send_buffer))
        self._agenda.hasten(session, now)

    def leave(self, session: SessionId, send_buffer: SendBuffer, user: UserId, device: DeviceId) -> None:
        """Removes a reader."""
        if (presence := self._sessions.get(session)) is None:
            return
        presence.roster.leave(user, device)
        presence.send_buffers.pop(id(send_buffer), None)
        presence.behind.discard(id(send_buffer))
        if presence.roster.has_local:
            self._agenda.hasten(session, self._time())
        else:
            del self._sessions[session]
            self._agenda.remove(session)
            self._announce(session, ())

    def act(self, sessions: Iterable[SessionId], user: UserId, device: DeviceId) -> None:
        """Marks the device as active."""
        now = self._time()
        for session in sessions:
            if (presence := self._sessions.get(session)) and presence.roster.act(user, device, now=now):
                self._agenda.hasten(session, now)

    def typing(self, session: SessionId, user: UserId, device: DeviceId, *, active: bool) -> None:
        """Marks the device as typing, or as not typing any more."""
        now = self._time()
        presence = self._sessions.get(session)
        if presence and presence.roster.act(user, device, now=now, typing=active):
            self._agenda.hasten(session, now)

    def receive(self, message: Message) -> None:
        """Takes the list of another process, which may ask for ours."""
        session, now = SessionId(UUID(message["session"])), self._time()
        presence = self._sessions.get(session)
        if presence is None or message["process"] == self._process:
            return
        devices = _DEVICES.decode(message["devices"])
        presence.roster.receive(message["process"], devices, until=now + message["valid_s"])
        if message["asks"]:
            presence.announced = None
        self._agenda.hasten(session, now)

    async def run(self) -> None:
        """Sends what is due every UPDATE_S, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send_outgoing())
            while True:
                await asyncio.sleep(UPDATE_S)
                await self._update_due()

    async def _update_due(self) -> None:
        began = now = self._time()
        while (session := self._agenda.take(now)) is not None:
            try:
                self._update(session, now)
            except Exception:  # a fault in one Session must not end the presence of all
                logger.exception("The presence in %s could not be sent.", session)
            if self._time() - began >= TURN_S:
                await asyncio.sleep(0)
                began = self._time()

    async def _send_outgoing(self) -> None:
        while True:
            await self._wanted.wait()
            sessions = list(islice(self._outgoing, BATCH))
            await self._send([(messages.group(session), self._outgoing.pop(session)) for session in sessions])
            if not self._outgoing:
                self._wanted.clear()

    def _update(self, session: SessionId, now: float) -> None:
        presence = self._sessions[session]
        if now >= presence.repeat_at:
            presence.announced = None
        if now >= presence.next_update:
            self._compare(session, presence, now)
        if presence.behind and presence.frame is not None:
            self._show(presence, presence.frame)
        is_paused = presence.next_update > now
        due = presence.next_update if is_paused else min(presence.repeat_at, presence.roster.next_change(now))
        self._agenda.hasten(session, min(due, now + FULL_S) if presence.behind else due)

    def _compare(self, session: SessionId, presence: _SessionPresence, now: float) -> None:
        """Announces and encodes the lists that have changed since they were last sent."""
        here, everywhere = presence.roster.local(now), presence.roster.all(now)
        if here != presence.announced:
            presence.announced = here
            interval_s = self._announce(session, here, asks=presence.asks)
            presence.asks = False
            # Sessions that are followed at the same moment are not repeated at the same moment.
            presence.repeat_at = now + random.uniform(0.5, 1.0) * interval_s  # noqa: S311  # not a secret
        if everywhere != presence.shown:
            text = encode(Presence(session=session, devices=everywhere))
            presence.shown, presence.frame = everywhere, Frame(text=text, size=size_of(text))
            presence.behind = set(presence.send_buffers)
            presence.next_update = now + min(len(presence.send_buffers) / FRAMES_PER_S, PAUSE_AT_MOST_S)

    def _show(self, presence: _SessionPresence, frame: Frame) -> None:
        behind, presence.behind = presence.behind, set()
        for key in behind:
            try:
                presence.send_buffers[key].put(frame)
            except Full:
                presence.behind.add(key)

    def _announce(self, session: SessionId, devices: tuple[PresentDevice, ...], *, asks: bool = False) -> float:
        """Sends the list to the other processes. Returns the seconds within which it has to be repeated."""
        interval_s, unsent = repeat_s(len(self._sessions)), self._outgoing.get(session)
        self._outgoing[session] = {
            "type": "presence",
            "session": str(session),
            "process": self._process,
            "devices": msgspec.json.encode(devices),
            "valid_s": MISSES * interval_s,
            "asks": asks or (unsent is not None and unsent["asks"]),
        }
        self._wanted.set()
        return interval_s
