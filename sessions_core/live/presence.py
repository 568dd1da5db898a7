"""Presence between processes: sends the list of who is present to local readers and other processes when it changes."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final
from uuid import UUID, uuid4

import msgspec

from sessions_core.hints import Message
from sessions_core.machines.roster import REPEAT_S, Roster
from sessions_core.machines.send_buffer import Frame, Full, SendBuffer, size_of
from sessions_core.protocol.author import Author
from sessions_core.protocol.frames import Presence, PresentDevice, encode
from sessions_core.protocol.ids import DeviceId, SessionId, UserId

logger = logging.getLogger(__name__)

UPDATE_S: Final = 0.25  # changes within it are sent together, so that many who come and go cost no more than a few
FRAMES_PER_S: Final = 50  # of one Session, over all its local readers: with more readers the list is sent less often
PAUSE_AT_MOST_S: Final = 5.0
STATES_S: Final = 1.0  # how often devices are checked that have become idle or stopped typing

_DEVICES: Final = msgspec.json.Decoder(tuple[PresentDevice, ...])


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


class PresenceTracker:
    """The presence in all Sessions that have readers in this process. `send` sends to the other processes of a Session."""

    def __init__(self, send: Callable[[SessionId, Message], None]) -> None:
        self._send = send
        self._process = uuid4().hex
        self._time = asyncio.get_running_loop().time
        self._sessions: dict[SessionId, _SessionPresence] = {}
        self._changed: set[SessionId] = set()

    def arrive(self, session: SessionId, send_buffer: SendBuffer, by: Author, device: DeviceId, *, label: str) -> None:
        """Adds a reader, which is sent the list at the next update."""
        presence = self._sessions.get(session)
        if presence is None:
            presence = self._sessions[session] = _SessionPresence()
            self._send(session, {"type": "presence_asked", "session": str(session), "process": self._process})
        presence.roster.arrive(by, device, label=label, now=self._time())
        presence.send_buffers[id(send_buffer)] = send_buffer
        presence.behind.add(id(send_buffer))
        self._changed.add(session)

    def leave(self, session: SessionId, send_buffer: SendBuffer, user: UserId, device: DeviceId) -> None:
        """Removes a reader."""
        if (presence := self._sessions.get(session)) is None:
            return
        presence.roster.leave(user, device)
        presence.send_buffers.pop(id(send_buffer), None)
        presence.behind.discard(id(send_buffer))
        self._changed.add(session)
        if not presence.roster.has_local:
            self._announce(session, ())
            del self._sessions[session]

    def act(self, sessions: Iterable[SessionId], user: UserId, device: DeviceId) -> None:
        """Marks the device as active."""
        for session in sessions:
            if presence := self._sessions.get(session):
                presence.roster.act(user, device, now=self._time())

    def typing(self, session: SessionId, user: UserId, device: DeviceId, *, active: bool) -> None:
        """Marks the device as typing, or as not typing any more."""
        if presence := self._sessions.get(session):
            presence.roster.act(user, device, now=self._time(), typing=active)
            self._changed.add(session)

    def receive(self, message: Message) -> None:
        """Takes the list of another process, or its request for ours."""
        session = SessionId(UUID(message["session"]))
        presence = self._sessions.get(session)
        if presence is None or message["process"] == self._process:
            return
        if message["type"] == "presence_asked":
            presence.announced = None
        else:
            presence.roster.receive(message["process"], _DEVICES.decode(message["devices"]), now=self._time())
        self._changed.add(session)

    async def run(self) -> None:
        """Sends what has changed every UPDATE_S, until cancelled."""
        checked = repeated = self._time()
        while True:
            await asyncio.sleep(UPDATE_S)
            now = self._time()
            if now - repeated >= REPEAT_S:
                repeated = now
                for presence in self._sessions.values():
                    presence.announced = None
            if now - checked >= STATES_S:
                checked = now
                self._changed.update(self._sessions)
            changed, self._changed = self._changed, set()
            for session in changed:
                try:
                    self._update(session, now)
                except Exception:  # a fault in one Session must not end the presence of all
                    logger.exception("The presence in %s could not be sent.", session)

    def _update(self, session: SessionId, now: float) -> None:
        presence = self._sessions.get(session)
        if presence is None:
            return
        if now >= presence.next_update:
            self._compare(session, presence, now)
        else:
            self._changed.add(session)
        if presence.behind and presence.frame is not None:
            behind, presence.behind = presence.behind, set()
            for key in behind:
                try:
                    presence.send_buffers[key].put(presence.frame)
                except Full:
                    presence.behind.add(key)

    def _compare(self, session: SessionId, presence: _SessionPresence, now: float) -> None:
        """Announces and encodes the lists that have changed since they were last sent."""
        here, everywhere = presence.roster.local(now), presence.roster.all(now)
        if here != presence.announced:
            presence.announced = here
            self._announce(session, here)
        if everywhere != presence.shown:
            text = encode(Presence(session=session, devices=everywhere))
            presence.shown, presence.frame = everywhere, Frame(text=text, size=size_of(text))
            presence.behind = set(presence.send_buffers)
            presence.next_update = now + min(len(presence.send_buffers) / FRAMES_PER_S, PAUSE_AT_MOST_S)

    def _announce(self, session: SessionId, devices: tuple[PresentDevice, ...]) -> None:
        self._send(
            session,
            {
                "type": "presence",
                "session": str(session),
                "process": self._process,
                "devices": msgspec.json.encode(devices),
            },
        )
