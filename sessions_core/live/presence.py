"""Presence between processes: says who is here to the local readers and to the other processes, when it changes."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final
from uuid import UUID, uuid4

import msgspec

from sessions_core.hints import Message
from sessions_core.machines.roster import REPEAT_S, Roster
from sessions_core.machines.send_buffer import Frame, SendBuffer, size_of
from sessions_core.protocol.author import Author
from sessions_core.protocol.frames import Presence, PresentDevice, encode
from sessions_core.protocol.ids import DeviceId, SessionId, UserId

logger = logging.getLogger(__name__)

EVERY_S: Final = 0.25  # changes within it are told together: the fan-out is bounded, however many come and go
FRAMES_PER_S: Final = 50  # of one Session: where more follow, the list changes less often
PAUSE_MOST_S: Final = 5.0
STATES_S: Final = 1.0  # how often it is looked for devices that fell idle or stopped typing

_DEVICES: Final = msgspec.json.Decoder(tuple[PresentDevice, ...])


class _Gathered:
    """Those who follow one Session: in this process, and as the others say."""

    def __init__(self) -> None:
        self.roster = Roster()
        self.send_buffers: dict[int, SendBuffer] = {}
        self.behind: set[int] = set()  # outboxes that have not got the newest list
        self.told: tuple[PresentDevice, ...] | None = None  # to the other processes
        self.shown: tuple[PresentDevice, ...] | None = None
        self.frame: Frame | None = None  # of what is shown
        self.due = 0.0  # not before then may the list change


class Gathering:
    """All Sessions that somebody follows here. `tell` sends to the other processes of a Session."""

    def __init__(self, tell: Callable[[SessionId, Message], None]) -> None:
        self._tell = tell
        self._process = uuid4().hex
        self._time = asyncio.get_running_loop().time
        self._gathered: dict[SessionId, _Gathered] = {}
        self._changed: set[SessionId] = set()

    def arrive(self, session: SessionId, send_buffer: SendBuffer, by: Author, device: DeviceId, *, label: str) -> None:
        """Somebody begins to follow, and gets the list."""
        gathered = self._gathered.get(session)
        if gathered is None:
            gathered = self._gathered[session] = _Gathered()
            self._tell(session, {"type": "presence_asked", "session": str(session), "process": self._process})
        gathered.roster.arrive(by, device, label=label, now=self._time())
        gathered.send_buffers[id(send_buffer)] = send_buffer
        gathered.behind.add(id(send_buffer))
        self._changed.add(session)

    def leave(self, session: SessionId, send_buffer: SendBuffer, user: UserId, device: DeviceId) -> None:
        if (gathered := self._gathered.get(session)) is None:
            return
        gathered.roster.leave(user, device)
        gathered.send_buffers.pop(id(send_buffer), None)
        gathered.behind.discard(id(send_buffer))
        self._changed.add(session)
        if gathered.roster.empty_here:
            self._announce(session, ())
            del self._gathered[session]

    def act(self, sessions: Iterable[SessionId], user: UserId, device: DeviceId) -> None:
        """The device did something."""
        for session in sessions:
            if gathered := self._gathered.get(session):
                gathered.roster.act(user, device, now=self._time())

    def typing(self, session: SessionId, user: UserId, device: DeviceId, *, active: bool) -> None:
        if gathered := self._gathered.get(session):
            gathered.roster.act(user, device, now=self._time(), typing=active)
            self._changed.add(session)

    def hear(self, message: Message) -> None:
        """What another process asks or says."""
        session = SessionId(UUID(message["session"]))
        gathered = self._gathered.get(session)
        if gathered is None or message["process"] == self._process:
            return
        if message["type"] == "presence_asked":
            gathered.told = None
        else:
            gathered.roster.told(message["process"], _DEVICES.decode(message["devices"]), now=self._time())
        self._changed.add(session)

    async def run(self) -> None:
        """Tells what changes, until cancelled."""
        looked = repeated = self._time()
        while True:
            await asyncio.sleep(EVERY_S)
            now = self._time()
            if now - repeated >= REPEAT_S:
                repeated = now
                for gathered in self._gathered.values():
                    gathered.told = None
            if now - looked >= STATES_S:
                looked = now
                self._changed.update(self._gathered)
            changed, self._changed = self._changed, set()
            for session in changed:
                try:
                    self._look(session, now)
                except Exception:  # one Session's fault must not end the presence of all
                    logger.exception("Presence in %s could not be shown.", session)

    def _look(self, session: SessionId, now: float) -> None:
        gathered = self._gathered.get(session)
        if gathered is None:
            return
        if now >= gathered.due:
            self._update(session, gathered, now)
        else:
            self._changed.add(session)
        if gathered.behind and gathered.frame is not None:
            send_buffers, frame = gathered.send_buffers, gathered.frame
            gathered.behind = {key for key in gathered.behind if not send_buffers[key].put(frame)}

    def _update(self, session: SessionId, gathered: _Gathered, now: float) -> None:
        here, everybody = gathered.roster.here(now), gathered.roster.all(now)
        if here != gathered.told:
            gathered.told = here
            self._announce(session, here)
        if everybody != gathered.shown:
            text = encode(Presence(session=session, devices=everybody))
            gathered.shown, gathered.frame = everybody, Frame(text=text, size=size_of(text))
            gathered.behind = set(gathered.send_buffers)
            gathered.due = now + min(len(gathered.send_buffers) / FRAMES_PER_S, PAUSE_MOST_S)

    def _announce(self, session: SessionId, devices: tuple[PresentDevice, ...]) -> None:
        self._tell(
            session,
            {
                "type": "presence",
                "session": str(session),
                "process": self._process,
                "devices": msgspec.json.encode(devices),
            },
        )
