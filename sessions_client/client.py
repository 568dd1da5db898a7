"""One durable connection, made of as many links as it takes."""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from typing import Final, Self
from uuid import uuid4

from sessions_client import reconnect
from sessions_client.commands import Commands
from sessions_client.errors import ClientError, Closed
from sessions_client.following import Following
from sessions_client.frames import (
    Error,
    Events,
    Goodbye,
    Heartbeat,
    Ok,
    Pong,
    Removed,
    ServerFrame,
    Subscribed,
    Welcome,
    build,
)
from sessions_client.link import Ending, Link, Nobody, Recorder
from sessions_client.place import Place

STEADY_S: Final = 5.0  # a link that was up for so long was good: the next failure is the first

logger = logging.getLogger(__name__)


class Client:
    """`async with Client(url, token) as client`: connects, and stays connected until the block ends.

    `url` is the `ws://…/ws/` address, `device` the uuid of this installation (make one once and keep it), `label` what people
    see of it. Commands and followed Sessions go on by themselves over every new link.
    """

    def __init__(
        self, url: str, token: str, *, device: str | None = None, label: str = "", recorder: Recorder | None = None
    ) -> None:
        self.device = device or str(uuid4())
        self.welcome: Welcome | None = None  # who we are and what the server allows, by the last link
        self._url = url
        self._token = token
        self._hello = build("hello", device=self.device, label=label or None)
        self._recorder = recorder or Nobody()
        self._link: Link | None = None
        self._up = asyncio.Event()
        self._over: ClientError | None = None
        self._followings: dict[str, Following] = {}
        self._commands = Commands(self._send)
        self._staying: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._staying = asyncio.create_task(self._stay(), name=f"client {self.device}")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def ready(self) -> Welcome:
        """Waits for the server's welcome. Raises Closed when there will be none."""
        await self._up.wait()
        if self.welcome is None or self._over is not None:
            raise self._over or Closed(1000, "closed")
        return self.welcome

    @property
    def is_up(self) -> bool:
        """Whether there is a link that was welcomed."""
        return self._link is not None and self._link.welcomed_at is not None

    def follow(self, session: str, *, last: int = 50, after: int | None = None, epoch: int | None = None) -> Following:
        """Follows a Session from the cursor (`after`, `epoch`), or cold from its `last` newest messages. Once at a time."""
        if session in self._followings:
            raise ValueError(f"The Session {session} is followed already.")
        place = Place(session, last=last, after=after, epoch=epoch)
        following = self._followings[session] = Following(place, self._send, time.monotonic)
        if self._over is not None:
            following.end(self._over)
        elif self.is_up:
            following.subscribe()
        return following

    def unfollow(self, session: str) -> None:
        """Ends the following; what came before can still be taken."""
        following = self._followings.pop(session, None)
        if following is not None:
            following.end(Closed(1000, "unfollowed"))
            self._send(build("unsubscribe", session=session))

    async def post(
        self,
        session: str,
        text: str | Sequence[str],
        *,
        id: str | None = None,
        parent: str | None = None,
        agent: str | None = None,
        policy: str | None = None,
    ) -> Ok:
        """Posts a message and gives what it made, once it is in the log. Raises Refused, Closed.

        Sent again over new links until it is answered: bound it with `asyncio.timeout`. To go on after that, or in another
        process, post again with the same `id` (a uuid): it has one effect.
        """
        parts = [{"type": "text", "text": part} for part in ([text] if isinstance(text, str) else text)]
        id = id or str(uuid4())
        frame = build("post", id=id, session=session, parts=parts, parent=parent, agent=agent, policy=policy)
        return await self._command(id, frame)

    async def cancel(self, session: str, run: str | None = None, *, id: str | None = None) -> Ok:
        """Stops one Run, or every active Run of the Session. Raises Refused (`run_ended`), Closed."""
        id = id or str(uuid4())
        return await self._command(id, build("cancel", id=id, session=session, run=run))

    def mark_read(self, session: str, seq: int) -> None:
        """Everything up to `seq` was seen. Lost while there is no link."""
        self._send(build("read", session=session, seq=seq))

    async def close(self) -> None:
        """Leaves for good. What is unanswered raises Closed."""
        if self._staying is not None:
            self._staying.cancel()
            await asyncio.wait([self._staying])
        self._end(Closed(1000, "closed"))

    async def _command(self, id: str, frame: str) -> Ok:
        if self._over is not None:
            raise self._over
        return await self._commands.ask(id, frame, time.monotonic())

    async def _stay(self) -> None:
        failures = 0
        while True:
            self._link = Link(self._hear, self._tick, self._recorder)
            try:
                ending = await self._link.run(self._url, self._token, self._hello)
            finally:
                self._link = None
            if reconnect.is_final(ending.code):
                self._end(Closed(ending.code, ending.reason))
                return
            failures = 0 if _was_steady(ending) else failures + 1
            logger.debug("The link ended (%d %s); trying again.", ending.code, ending.reason)
            await asyncio.sleep(reconnect.delay(failures, retry_after_ms=ending.retry_after_ms, random=random.random))

    def _send(self, text: str) -> bool:
        link = self._link
        if link is None or link.welcomed_at is None:
            return False
        link.send(text)
        return True

    def _hear(self, frame: ServerFrame) -> None:
        match frame:
            case Events() | Subscribed() | Removed():
                self._pass_on(frame)
            case Welcome():
                self._welcomed(frame)
            case Ok():
                self._commands.ok(frame)
            case Error():
                self._refused(frame)
            case Heartbeat(heads=heads) | Pong(heads=heads):
                self._saw(heads)
            case Goodbye():
                pass  # the link notes it

    def _pass_on(self, frame: Events | Subscribed | Removed) -> None:
        following = self._followings.get(frame.session)
        if following is None:
            return
        match frame:
            case Events():
                following.events(frame)
            case Subscribed():
                following.subscribed(frame)
            case Removed():
                del self._followings[frame.session]
                following.removed(frame)

    def _welcomed(self, frame: Welcome) -> None:
        self.welcome = frame
        self._up.set()
        for following in self._followings.values():
            following.subscribe()
        self._commands.resend(time.monotonic())

    def _refused(self, frame: Error) -> None:
        if frame.id is not None:
            self._commands.error(frame, time.monotonic())
        elif frame.session in self._followings:
            self._followings[frame.session].error(frame)
        else:
            logger.warning("The server refused something: %s (%s)", frame.message, frame.code)

    def _saw(self, heads: dict[str, int]) -> None:
        for session, head in heads.items():
            if session in self._followings:
                self._followings[session].saw(head)

    def _tick(self) -> None:
        if self.is_up:
            for following in self._followings.values():
                following.tick()
            self._commands.tick(time.monotonic())

    def _end(self, error: ClientError) -> None:
        if self._over is None:
            self._over = error
            self._up.set()
            self._commands.abandon(error)
            for following in self._followings.values():
                following.end(error)


def _was_steady(ending: Ending) -> bool:
    return ending.welcomed_at is not None and time.monotonic() - ending.welcomed_at >= STEADY_S
