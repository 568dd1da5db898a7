"""One live WebSocket: a bounded outbox, a writer that empties it, and the Subscriptions that fill it. Owns nothing durable."""

import asyncio
from collections.abc import Awaitable
from typing import Final, Protocol

import msgspec
from django.conf import settings

from sessions_core.machines.feed import Subscription
from sessions_core.machines.send_buffer import SendBuffer
from sessions_core.protocol.author import Author
from sessions_core.protocol.frames import CLOSE_TOO_SLOW, Goodbye, Heartbeat, ServerFrame, encode
from sessions_core.protocol.ids import DeviceId, SessionId
from sessions_core.services.callers import Caller

HEARTBEAT_MS: Final = 10_000  # the longest silence of a live server
HEARTBEAT_AFTER_S: Final = 8.5  # the sweep comes by each second
PATIENCE_S: Final = 10.0  # for one frame to be taken; then the client is too slow
FAREWELL_S: Final = 5.0  # for the close frame of one that was too slow


class Transport(Protocol):
    """Carries the frames of one Connection to its client: a WebSocket, or what a gateway speaks.

    Both methods wait while the client does not read, and raise OSError when it is gone.
    """

    def send_text(self, text: str) -> Awaitable[None]: ...

    def close(self, code: int, reason: str) -> Awaitable[None]:
        """Ends the transport with one of the close codes of docs/reference/wire.md, after what was sent before."""
        ...


class Source(Protocol):
    """Where frames come from, once there is room again."""

    def drained(self, subscription: Subscription) -> None: ...
    def left(self, connection: "Connection", subscription: Subscription) -> None: ...
    def head(self, session: SessionId) -> int: ...


class Connection:
    """What there is to know of one socket. `write` runs for as long as it lives."""

    def __init__(self, caller: Caller, address: str, transport: Transport, source: Source) -> None:
        self.caller = caller
        self.address = address
        self.device: DeviceId | None = None
        self.label = ""
        self.send_buffer = SendBuffer(settings.SEND_BUFFER_LIMIT, self._wake)
        self.subscriptions: dict[SessionId, Subscription] = {}
        self.ended = False
        self._transport = transport
        self._source = source
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._scope: asyncio.Timeout | None = None
        self._goodbye: Goodbye | None = None
        self._sending_since: float | None = None
        self._spoke_at = self._loop.time()
        self._room: list[asyncio.Future[None]] = []

    @property
    def author(self) -> Author:
        return self.caller.author(self.device)

    @property
    def closing(self) -> bool:
        return self.ended or self._goodbye is not None

    def reply(self, frame: ServerFrame) -> None:
        """Answers; for one that asks and asks without reading, the end."""
        if not self.closing:
            self.send_buffer.reply(encode(frame))
            if self.send_buffer.overflowed:
                self.give_up()

    def close(self, code: int, reason: str, *, retry_after_ms: int | None = None) -> None:
        """Says goodbye and closes, after what is on its way; without it, if that is not taken."""
        if not self.closing:
            self.leave_all()
            later = msgspec.UNSET if retry_after_ms is None else retry_after_ms
            self._goodbye = Goodbye(code=code, reason=reason, retry_after_ms=later)
            self._wake()
            self._end_within(PATIENCE_S)

    def give_up(self) -> None:
        """Closes one that does not take what is sent. It hears of it if it begins to read within FAREWELL_S."""
        self.send_buffer.clear()
        self.close(CLOSE_TOO_SLOW, "You do not read what is sent. Connect again and go on from your cursor.")
        self._end_within(FAREWELL_S)

    def hang_up(self) -> None:
        """The other side is gone."""
        self.ended = True
        self._end_within(0.0)

    def tick(self, now: float) -> None:
        """Each second: ends one that is too slow, and speaks to one that has heard nothing for long."""
        if self.closing:
            return
        if self._sending_since is not None:
            if now - self._sending_since > PATIENCE_S:
                self.give_up()
        elif now - self._spoke_at > HEARTBEAT_AFTER_S:
            self.reply(Heartbeat(heads=self.heads()))

    def heads(self) -> dict[SessionId, int]:
        return {session: self._source.head(session) for session in self.subscriptions}

    def leave(self, session: SessionId) -> Subscription | None:
        """Ends the Subscription, if there is one."""
        subscription = self.subscriptions.pop(session, None)
        if subscription is not None:
            self._source.left(self, subscription)
        return subscription

    def leave_all(self) -> None:
        for session in tuple(self.subscriptions):
            self.leave(session)

    async def room(self, size: int) -> None:
        """Waits until so much fits, for what is large and belongs to this Connection alone."""
        while not self.send_buffer.fits(size) and not self.closing:
            waiter = self._loop.create_future()
            self._room.append(waiter)
            await waiter

    async def write(self) -> None:
        """Sends until the goodbye was said or the other side is gone."""
        try:
            async with asyncio.timeout(None) as self._scope:
                await self._write()
        except OSError:  # a TimeoutError of the scope, or the other side is gone: ASGI servers raise OSErrors then
            pass
        finally:
            self._scope = None
            self.ended = True
            self.leave_all()
            self._let_in()

    async def _write(self) -> None:
        take, send, time = self.send_buffer.take, self._transport.send_text, self._loop.time
        while True:
            while (text := take()) is not None:
                self._sending_since = self._spoke_at = time()
                await send(text)
            self._sending_since = None
            self._let_in()
            if not len(self.send_buffer) and not self._refill():
                if self._goodbye is not None:
                    await self._end(self._goodbye)
                    return
                await self._sleep()

    async def _end(self, goodbye: Goodbye) -> None:
        self._sending_since = self._loop.time()
        await self._transport.send_text(encode(goodbye))
        await self._transport.close(goodbye.code, goodbye.reason)

    async def _sleep(self) -> None:
        self._waiter = self._loop.create_future()
        self.send_buffer.sleeps = True
        try:
            await self._waiter
        finally:
            self.send_buffer.sleeps = False

    def _refill(self) -> bool:
        """Goes on with Subscriptions that did not fit, each in its turn. False when that brought nothing to send."""
        if not self.send_buffer.refused:
            return False
        self.send_buffer.refused = False
        for session, subscription in tuple(self.subscriptions.items()):
            if subscription.stalled:
                self._source.drained(subscription)
                if session in self.subscriptions:
                    self.subscriptions[session] = self.subscriptions.pop(session)  # the next time the others come first
                if self.send_buffer.refused:
                    break
        return len(self.send_buffer) > 0

    def _end_within(self, seconds: float) -> None:
        if self._scope is not None:
            self._scope.reschedule(self._loop.time() + seconds)

    def _let_in(self) -> None:
        for waiter in self._room:
            if not waiter.done():
                waiter.set_result(None)
        self._room.clear()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
