"""One durable connection, made of as many WebSockets as it takes."""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from typing import Final, Self
from uuid import uuid4

import msgspec

from sessions_client import reconnect
from sessions_client.commands import Commands
from sessions_client.errors import ClientError, Closed
from sessions_client.event_stream import EventStream
from sessions_client.frames import (
    FRAME_BYTES,
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
from sessions_client.range_rule import RangeRule
from sessions_client.websocket import Ending, NullRecorder, Recorder, WebSocket

STABLE_AFTER_S: Final = 5.0  # a WebSocket that was welcomed for so long was good: the next failure counts as the first

logger = logging.getLogger(__name__)


class Client:
    """`async with Client(url, token) as client` connects, and reconnects until the block ends.

    `url` is the `ws://…/ws/` address. `device` is the uuid of this installation: make one once and keep it. `label` is what
    people see of it. Commands and followed Sessions go on by themselves on every new WebSocket.
    """

    def __init__(
        self, url: str, token: str, *, device: str | None = None, label: str = "", recorder: Recorder | None = None
    ) -> None:
        self.device = device or str(uuid4())
        self.welcome: Welcome | None = None  # the newest: who we are, and what the server allows
        self._url = url
        self._token = token
        self._hello = build("hello", device=self.device, label=label or None)
        self._recorder = recorder or NullRecorder()
        self._websocket: WebSocket | None = None
        self._ready = asyncio.Event()  # the first welcome came, or none will
        self._error: ClientError | None = None  # why the client has ended
        self._streams: dict[str, EventStream] = {}
        self._commands = Commands(self._send)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep_connected(), name=f"client {self.device}")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def ready(self) -> Welcome:
        """Waits for the server's `welcome` and returns it. Raises Closed when none will come."""
        await self._ready.wait()
        if self.welcome is None or self._error is not None:
            raise self._error or Closed(1000, "closed")
        return self.welcome

    @property
    def is_connected(self) -> bool:
        """True while there is a WebSocket that was welcomed."""
        return self._websocket is not None and self._websocket.welcomed_at is not None

    def follow(
        self, session: str, *, last: int = 50, after: int | None = None, epoch: int | None = None
    ) -> EventStream:
        """Follows a Session from the cursor (`after`, `epoch`), or without one from its `last` newest messages.

        Raises ValueError while the Session is followed already.
        """
        if session in self._streams:
            raise ValueError(f"The Session {session} is followed already.")
        rule = RangeRule(session, last=last, after=after, epoch=epoch)
        stream = self._streams[session] = EventStream(rule, self._send, time.monotonic)
        if self._error is not None:
            stream.end(self._error)
        elif self.is_connected:
            stream.subscribe()
        return stream

    def unfollow(self, session: str) -> None:
        """Ends the Session's stream. Batches that came before can still be taken from it."""
        stream = self._streams.pop(session, None)
        if stream is not None:
            stream.end(Closed(1000, "unfollowed"))
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
        """Posts a message, and returns what it made once it is in the log. It follows the message `parent`, none with BEGINNING,
        and without a name the end of the active branch. Raises Refused, Closed.

        Sent again on new WebSockets until it is answered: bound it with `asyncio.timeout`. To go on after that, or in another
        process, post again with the same `id` (a uuid): it has one effect.
        """
        return await self._give(
            "post", id, session=session, parts=_parts(text), parent=parent, agent=agent, policy=policy
        )

    async def edit_queued(self, session: str, message: str, text: str | Sequence[str], *, id: str | None = None) -> Ok:
        """Replaces the text of a message that waits in the queue. Raises Refused (`not_queued`), Closed."""
        return await self._give("edit_queued", id, session=session, message=message, parts=_parts(text))

    async def unqueue(self, session: str, message: str, *, id: str | None = None) -> Ok:
        """Takes a message back that waits in the queue. Raises Refused (`not_queued`), Closed."""
        return await self._give("unqueue", id, session=session, message=message)

    async def resume_queue(self, session: str, *, id: str | None = None) -> Ok:
        """Lets the queue go on that was paused, because an answer failed or was stopped. Raises Refused (`conflict`), Closed."""
        return await self._give("resume_queue", id, session=session)

    async def answer(self, session: str, ask: str, value: object, *, id: str | None = None) -> Ok:
        """Answers a question of a Run. `value`: JSON that fits the schema of its `ask.opened`. Raises Refused (`bad_answer`,
        `ask_closed`, `ask_forbidden`), Closed.
        """
        return await self._give("answer", id, session=session, ask=ask, value=msgspec.Raw(msgspec.json.encode(value)))

    async def decline(self, session: str, ask: str, *, id: str | None = None) -> Ok:
        """Closes a question of a Run without an answer. Raises Refused (`ask_closed`, `ask_forbidden`), Closed."""
        return await self._give("answer", id, session=session, ask=ask, declined=True)

    async def regenerate(self, session: str, message: str, *, id: str | None = None) -> Ok:
        """Requests another answer beside the one that the agent's `message` is a part of. Raises Refused, Closed."""
        return await self._give("regenerate", id, session=session, message=message)

    async def cancel(self, session: str, run: str | None = None, *, id: str | None = None) -> Ok:
        """Stops one Run, or every active Run of the Session. Raises Refused (`run_ended`), Closed."""
        return await self._give("cancel", id, session=session, run=run)

    def mark_read(self, session: str, seq: int) -> None:
        """Marks everything up to `seq` as read. Lost while there is no connection."""
        self._send(build("read", session=session, seq=seq))

    async def close(self) -> None:
        """Closes the connection for good. Unanswered commands raise Closed; the streams end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._end(Closed(1000, "closed"))

    async def _give(self, type: str, id: str | None, **fields: object) -> Ok:
        """Gives a command, under a new id if it has none."""
        if self._error is not None:
            raise self._error
        id = id or str(uuid4())
        return await self._commands.execute(id, build(type, id=id, **fields), time.monotonic())

    async def _keep_connected(self) -> None:
        failures = 0
        while True:
            self._websocket = WebSocket(self._receive, self._tick, self._recorder)
            try:
                ending = await self._websocket.run(self._url, self._token, self._hello)
            finally:
                self._websocket = None
            if reconnect.is_final(ending.code):
                self._end(Closed(ending.code, ending.reason))
                return
            failures = 0 if _was_stable(ending) else failures + 1
            logger.debug("The connection ended (%d %s); trying again.", ending.code, ending.reason)
            await asyncio.sleep(reconnect.delay(failures, retry_after_ms=ending.retry_after_ms, random=random.random))

    def _send(self, text: str) -> bool:
        """Sends the frame and returns True, or returns False while there is no connection."""
        if self._websocket is None or self._websocket.welcomed_at is None:
            return False
        self._websocket.send(text)
        return True

    def _receive(self, frame: ServerFrame) -> None:
        match frame:
            case Events() | Subscribed() | Removed():
                self._to_stream(frame)
            case Welcome():
                self._welcomed(frame)
            case Ok():
                self._commands.ok(frame)
            case Error():
                self._refused(frame)
            case Heartbeat(heads=heads) | Pong(heads=heads):
                self._note_heads(heads)
            case Goodbye():
                pass  # the WebSocket keeps its `retry_after_ms`

    def _to_stream(self, frame: Events | Subscribed | Removed) -> None:
        stream = self._streams.get(frame.session)
        if stream is None:
            return
        match frame:
            case Events():
                stream.events(frame)
            case Subscribed():
                stream.subscribed(frame)
            case Removed():
                del self._streams[frame.session]
                stream.removed(frame)

    def _welcomed(self, frame: Welcome) -> None:
        self.welcome = frame
        self._commands.frame_bytes = frame.limits.get("frame_bytes", FRAME_BYTES)
        self._ready.set()
        for stream in self._streams.values():
            stream.subscribe()
        self._commands.resend(time.monotonic())

    def _refused(self, frame: Error) -> None:
        if frame.id is not None:
            self._commands.refused(frame, time.monotonic())
        elif frame.session in self._streams:
            self._streams[frame.session].refused(frame)
        else:
            logger.warning("The server refused a frame: %s (%s)", frame.message, frame.code)

    def _note_heads(self, heads: dict[str, int]) -> None:
        for session, head in heads.items():
            if session in self._streams:
                self._streams[session].note_head(head)

    def _tick(self) -> None:
        if self.is_connected:
            for stream in self._streams.values():
                stream.tick()
            self._commands.tick(time.monotonic())

    def _end(self, error: ClientError) -> None:
        if self._error is None:
            self._error = error
            self._ready.set()
            self._commands.abandon(error)
            for stream in self._streams.values():
                stream.end(error)


def _parts(text: str | Sequence[str]) -> list[dict[str, str]]:
    return [{"type": "text", "text": part} for part in ([text] if isinstance(text, str) else text)]


def _was_stable(ending: Ending) -> bool:
    return ending.welcomed_at is not None and time.monotonic() - ending.welcomed_at >= STABLE_AFTER_S
