"""One live reader: a send buffer, the task that empties it, and the Subscriptions that fill it. Owns nothing durable."""

import asyncio
from collections.abc import Awaitable
from typing import Final, Protocol

import msgspec
from django.conf import settings

from sessions_core.machines.feed import Subscription
from sessions_core.machines.send_buffer import Full, SendBuffer
from sessions_core.protocol.author import Author
from sessions_core.protocol.frames import CLOSE_TOO_SLOW, Goodbye, Heartbeat, ServerFrame, encode
from sessions_core.protocol.ids import DeviceId, SessionId
from sessions_core.services.callers import Caller

HEARTBEAT_MS: Final = 10_000  # the longest time without a frame, as `welcome` promises it
HEARTBEAT_AFTER_S: Final = 8.5  # `tick` is called once a second
SEND_TIMEOUT_S: Final = 10.0  # for one frame; a client that takes longer is closed as too slow
HELLO_TIMEOUT_S: Final = 30.0  # from the upgrade to `hello`
CLOSE_TIMEOUT_S: Final = 5.0  # for the close frame of a client that was too slow


class Transport(Protocol):
    """Carries the frames of one Connection to its client: a WebSocket, or whatever a gateway speaks.

    Both methods wait while the client does not read, and raise OSError when it is gone.
    """

    def send_text(self, text: str) -> Awaitable[None]: ...

    def close(self, code: int, reason: str) -> Awaitable[None]:
        """Ends the transport after what was sent before. `code` is a close code of docs/reference/wire.md."""
        ...


class Source(Protocol):
    """Fills the send buffer of a Connection: Delivery."""

    def refill(self, subscription: Subscription) -> None:
        """Goes on with a stalled Subscription, whose send buffer has room again."""
        ...

    def unsubscribed(self, connection: "Connection", subscription: Subscription) -> None:
        """Is called after the Connection has ended the Subscription."""
        ...

    def head(self, session: SessionId) -> int: ...


class Connection:
    """One live reader. `write` runs for as long as it lives; every other method returns at once, but `wait_for_room`."""

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
        self._goodbye: Goodbye | None = None
        self._timeout: asyncio.Timeout | None = None  # of `write`
        self._wake_up: asyncio.Future[None] | None = None  # what `write` waits for while there is nothing to send
        self._room_waiters: list[asyncio.Future[None]] = []
        self._sending_since: float | None = None
        self._opened = self._last_sent = self._loop.time()

    @property
    def author(self) -> Author:
        return self.caller.author(self.device)

    @property
    def closing(self) -> bool:
        return self.ended or self._goodbye is not None

    def reply(self, frame: ServerFrame) -> None:
        """Sends an answer to a command. Closes a client that keeps sending commands without reading the answers."""
        if not self.closing:
            try:
                self.send_buffer.reply(encode(frame))
            except Full:
                self.close_too_slow()

    def close(self, code: int, reason: str, *, retry_after_ms: int | None = None) -> None:
        """Sends a goodbye after what is in the send buffer, and closes; closes without it if the client takes too long."""
        if not self.closing:
            self.leave_all()
            wait_ms = msgspec.UNSET if retry_after_ms is None else retry_after_ms
            self._goodbye = Goodbye(code=code, reason=reason, retry_after_ms=wait_ms)
            self._wake()
            self._end_within(SEND_TIMEOUT_S)

    def close_too_slow(self) -> None:
        """Closes a client that does not read. It gets the goodbye if it begins to read within CLOSE_TIMEOUT_S."""
        self.send_buffer.clear()
        self.close(CLOSE_TOO_SLOW, "You do not read what is sent. Connect again and go on from your cursor.")
        self._end_within(CLOSE_TIMEOUT_S)

    def disconnect(self) -> None:
        """Ends the Connection at once: nothing can be sent any more."""
        self.ended = True
        self._end_within(0.0)

    def tick(self, now: float) -> None:
        """Closes a client that is too slow, and sends a heartbeat after a silence. `now` is the loop's time."""
        if self.closing:
            return
        if self._sending_since is not None:
            if now - self._sending_since > SEND_TIMEOUT_S:
                self.close_too_slow()
        elif self.device is None and now - self._opened > HELLO_TIMEOUT_S:
            self.close(CLOSE_TOO_SLOW, "You did not say hello in time. Connect again.")
        elif now - self._last_sent > HEARTBEAT_AFTER_S:
            self.reply(Heartbeat(heads=self.heads()))

    def heads(self) -> dict[SessionId, int]:
        """Returns the newest seq known of each Session that is subscribed to."""
        return {session: self._source.head(session) for session in self.subscriptions}

    def leave(self, session: SessionId) -> Subscription | None:
        """Ends the Subscription of the Session, if there is one, and returns it."""
        subscription = self.subscriptions.pop(session, None)
        if subscription is not None:
            self._source.unsubscribed(self, subscription)
        return subscription

    def leave_all(self) -> None:
        for session in tuple(self.subscriptions):
            self.leave(session)

    async def wait_for_room(self, size: int) -> None:
        """Waits until the send buffer has room for a frame of `size` bytes, or the Connection closes."""
        while not self.send_buffer.fits(size) and not self.closing:
            waiter = self._loop.create_future()
            self._room_waiters.append(waiter)
            await waiter

    async def write(self) -> None:
        """Sends what comes into the send buffer, until the goodbye was sent or the client is gone."""
        try:
            async with asyncio.timeout(None) as self._timeout:
                await self._write()
        except OSError:  # TimeoutError is one, and ASGI servers raise others when the client is gone
            pass
        finally:
            self._timeout = None
            self.ended = True
            self.leave_all()
            self._wake_room_waiters()

    async def _write(self) -> None:
        take, send, time = self.send_buffer.take, self._transport.send_text, self._loop.time
        while True:
            while (text := take()) is not None:
                self._sending_since = self._last_sent = time()
                await send(text)
            self._sending_since = None
            if self._room_waiters:
                self._wake_room_waiters()
                await asyncio.sleep(0)  # they come first: the stalled Subscriptions would take all room again and again
            if not len(self.send_buffer) and not self._refill():
                if self._goodbye is not None:
                    await self._send_goodbye(self._goodbye)
                    return
                await self._wait_for_frames()

    async def _send_goodbye(self, goodbye: Goodbye) -> None:
        self._sending_since = self._loop.time()
        await self._transport.send_text(encode(goodbye))
        await self._transport.close(goodbye.code, goodbye.reason)

    async def _wait_for_frames(self) -> None:
        self._wake_up = self._loop.create_future()
        self.send_buffer.sleeps = True
        try:
            await self._wake_up
        finally:
            self.send_buffer.sleeps = False

    def _refill(self) -> bool:
        """Goes on with stalled Subscriptions, in turn. Returns False if that brought nothing to send."""
        if not self.send_buffer.refused:
            return False
        self.send_buffer.refused = False
        for session, subscription in tuple(self.subscriptions.items()):
            if subscription.stalled:
                self._source.refill(subscription)
                if session in self.subscriptions:
                    self.subscriptions[session] = self.subscriptions.pop(
                        session
                    )  # to the end: the others come first next time
                if self.send_buffer.refused:
                    break
        return len(self.send_buffer) > 0

    def _end_within(self, seconds: float) -> None:
        if self._timeout is not None:
            self._timeout.reschedule(self._loop.time() + seconds)

    def _wake_room_waiters(self) -> None:
        for waiter in self._room_waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._room_waiters.clear()

    def _wake(self) -> None:
        if self._wake_up is not None and not self._wake_up.done():
            self._wake_up.set_result(None)
