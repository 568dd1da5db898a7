"""Presence between processes: says who is here to the local readers and to the other processes, when it changes."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final
from uuid import UUID, uuid4

import msgspec

from sessions_core.access import Author
from sessions_core.consumers.presence import REPEAT_S, Roster
from sessions_core.hub import Message
from sessions_core.ids import DeviceId, SessionId, UserId
from sessions_core.outbox import Frame, Outbox
from sessions_core.protocol import Presence, PresentDevice, encode

log = logging.getLogger(__name__)

EVERY_S: Final = 0.25  # changes within it are told together: the fan-out is bounded, however many come and go
STATES_S: Final = 1.0  # how often it is looked for devices that fell idle or stopped typing

_DEVICES: Final = msgspec.json.Decoder(tuple[PresentDevice, ...])


class Gathering:
    """The rosters of all Sessions that somebody follows here. `tell` sends to the other processes of a Session."""

    def __init__(self, tell: Callable[[SessionId, Message], None]) -> None:
        self._tell = tell
        self._process = uuid4().hex
        self._time = asyncio.get_running_loop().time
        self._rosters: dict[SessionId, Roster] = {}
        self._outboxes: dict[SessionId, dict[int, Outbox]] = {}
        self._changed: set[SessionId] = set()
        self._told: dict[SessionId, tuple[PresentDevice, ...]] = {}
        self._shown: dict[SessionId, tuple[PresentDevice, ...]] = {}
        self._behind: dict[SessionId, set[int]] = {}  # outboxes that had no room for the newest list

    def arrive(self, session: SessionId, outbox: Outbox, by: Author, device: DeviceId, *, label: str) -> None:
        """Somebody begins to follow, and gets the list."""
        first = session not in self._rosters
        roster = self._rosters.setdefault(session, Roster())
        roster.arrive(by, device, label=label, now=self._time())
        self._outboxes.setdefault(session, {})[id(outbox)] = outbox
        self._behind.setdefault(session, set()).add(id(outbox))
        self._changed.add(session)
        if first:
            self._tell(session, {"type": "presence_asked", "session": str(session), "process": self._process})

    def leave(self, session: SessionId, outbox: Outbox, user: UserId, device: DeviceId) -> None:
        if (roster := self._rosters.get(session)) is None:
            return
        roster.leave(user, device)
        self._outboxes[session].pop(id(outbox), None)
        self._behind[session].discard(id(outbox))
        self._changed.add(session)
        if roster.empty_here:
            self._announce(session, ())
            for kept in (self._rosters, self._outboxes, self._told, self._shown, self._behind):
                kept.pop(session, None)

    def act(self, sessions: Iterable[SessionId], user: UserId, device: DeviceId) -> None:
        """The device did something."""
        for session in sessions:
            if roster := self._rosters.get(session):
                roster.act(user, device, now=self._time())

    def typing(self, session: SessionId, user: UserId, device: DeviceId, *, active: bool) -> None:
        if roster := self._rosters.get(session):
            roster.act(user, device, now=self._time(), typing=active)
            self._changed.add(session)

    def hear(self, message: Message) -> None:
        """What another process asks or says."""
        session = SessionId(UUID(message["session"]))
        roster = self._rosters.get(session)
        if roster is None or message["process"] == self._process:
            return
        if message["type"] == "presence_asked":
            self._told.pop(session, None)
        else:
            roster.told(message["process"], _DEVICES.decode(message["devices"]), now=self._time())
        self._changed.add(session)

    async def run(self) -> None:
        """Tells what changes, until cancelled."""
        looked = repeated = self._time()
        while True:
            await asyncio.sleep(EVERY_S)
            now = self._time()
            if now - repeated >= REPEAT_S:
                repeated = now
                self._told.clear()
            if now - looked >= STATES_S:
                looked = now
                self._changed.update(self._rosters)
            while self._changed:
                session = self._changed.pop()
                try:
                    self._show(session, now)
                except Exception:  # one Session's fault must not end the presence of all
                    log.exception("Presence in %s could not be shown.", session)

    def _show(self, session: SessionId, now: float) -> None:
        roster = self._rosters.get(session)
        if roster is None:
            return
        here, everybody = roster.here(now), roster.all(now)
        if here != self._told.get(session):
            self._told[session] = here
            self._announce(session, here)
        outboxes = self._outboxes[session]
        if everybody != self._shown.get(session):
            self._shown[session] = everybody
            self._behind[session] = set(outboxes)
        if behind := self._behind[session]:
            text = encode(Presence(session=session, devices=everybody))
            frame = Frame(text=text, size=len(text))
            self._behind[session] = {key for key in behind if not outboxes[key].put(frame)}

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
