"""One WebSocket, from the upgrade to its end."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final, Protocol

import msgspec
from typing_extensions import override
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from sessions_client.frames import SUBPROTOCOL, Error, Goodbye, ServerFrame, Welcome, build, parse

OPEN_TIMEOUT_S: Final = 10.0  # for connecting and the upgrade
CLOSE_TIMEOUT_S: Final = 1.0  # for the answer to our close frame
TICK_S: Final = 0.5
PING_AFTER_S: Final = 4.0  # of silence: send a `ping`
DEAD_AFTER_S: Final = 8.0  # of silence: give the WebSocket up
ABNORMAL: Final = 1006  # no close frame came
HELLO_REFUSED: Final = 4400  # our `hello` was refused, and would be again
RECEIVE_LIMIT: Final = 64 * 1024 * 1024  # bytes of one frame that we accept

logger = logging.getLogger(__name__)


class Recorder(Protocol):
    """Is given every frame and the end of every WebSocket, for tests that check the wire."""

    def sent(self, text: str) -> None: ...
    def received(self, text: str) -> None: ...
    def closed(self, code: int, reason: str) -> None: ...


class NullRecorder:
    """Records nothing."""

    def sent(self, text: str) -> None: ...
    def received(self, text: str) -> None: ...
    def closed(self, code: int, reason: str) -> None: ...


class Ending(msgspec.Struct, frozen=True):
    """How a WebSocket ended. `welcomed_at` is a monotonic time in seconds, or None when no `welcome` came."""

    code: int
    reason: str
    retry_after_ms: int | None
    welcomed_at: float | None


class _TimedConnection(ClientConnection):
    """Notes when bytes came. Over a slow line one large frame may take longer than DEAD_AFTER_S."""

    received_at = 0.0

    @override
    def data_received(self, data: bytes) -> None:
        self.received_at = time.monotonic()
        super().data_received(data)


class WebSocket:
    """Calls `on_frame` with every frame of a known type, and `on_tick` every TICK_S while the WebSocket is open."""

    def __init__(
        self, on_frame: Callable[[ServerFrame], None], on_tick: Callable[[], None], recorder: Recorder
    ) -> None:
        self.welcomed_at: float | None = None
        self._on_frame = on_frame
        self._on_tick = on_tick
        self._recorder = recorder
        self._unsent: asyncio.Queue[str] = asyncio.Queue()
        self._pinged_at = 0.0
        self._retry_after_ms: int | None = None
        self._hello_refused: tuple[int, str] | None = None

    def send(self, text: str) -> None:
        """Queues the frame. Only an answer of the server shows that it arrived."""
        self._unsent.put_nowait(text)

    async def run(self, url: str, token: str, hello: str) -> Ending:
        """Connects, and returns when the WebSocket has ended, for whatever reason."""
        code, reason = ABNORMAL, ""
        try:
            async with connect(
                url,
                additional_headers={"Authorization": f"Bearer {token}"},
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                compression=None,  # frames are small and many: it costs more than it saves
                proxy=None,
                open_timeout=OPEN_TIMEOUT_S,
                close_timeout=CLOSE_TIMEOUT_S,
                ping_interval=None,  # the wire's own `ping` brings the heads as well
                max_size=RECEIVE_LIMIT,
                create_connection=_TimedConnection,
            ) as connection:
                assert isinstance(connection, _TimedConnection)
                code, reason = await self._exchange(connection, hello)
        except (OSError, TimeoutError, InvalidHandshake) as error:
            reason = str(error) or type(error).__name__
        self._recorder.closed(code, reason)
        return Ending(code=code, reason=reason, retry_after_ms=self._retry_after_ms, welcomed_at=self.welcomed_at)

    async def _exchange(self, connection: _TimedConnection, hello: str) -> tuple[int, str]:
        """Sends and receives frames until the end, and returns the close code and reason."""
        self.send(hello)
        tasks = [asyncio.create_task(self._write(connection)), asyncio.create_task(self._watch(connection))]
        try:
            while self._hello_refused is None:
                text = await connection.recv(decode=True)
                self._recorder.received(text)
                self._receive(text)
            return self._hello_refused  # noqa: TRY300  # the loop is what may raise
        except ConnectionClosed as closed:
            return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (ABNORMAL, "the connection was lost")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def _receive(self, text: str) -> None:
        try:
            frame = parse(text)
        except msgspec.DecodeError as error:
            logger.warning("A frame breaks the wire and is ignored: %s", error)
            return
        match frame:
            case None:
                return
            case Welcome():
                self.welcomed_at = time.monotonic()
            case Goodbye(retry_after_ms=retry_after_ms):
                self._retry_after_ms = retry_after_ms
            case Error(message=message, retry=retry) if self.welcomed_at is None:
                self._hello_refused = (ABNORMAL if retry else HELLO_REFUSED, message)
            case _:
                pass
        self._on_frame(frame)

    async def _write(self, connection: ClientConnection) -> None:
        try:
            while True:
                text = await self._unsent.get()
                self._recorder.sent(text)
                await connection.send(text)
        except ConnectionClosed:
            return  # `recv` raises the same, with the code

    async def _watch(self, connection: _TimedConnection) -> None:
        """Finds a dead connection. Without a `ping` both ends of one may wait for ever."""
        while True:
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            if now - connection.received_at >= DEAD_AFTER_S:
                connection.transport.abort()
                return
            if now - max(connection.received_at, self._pinged_at) >= PING_AFTER_S and self.welcomed_at is not None:
                self._pinged_at = now
                self.send(build("ping"))
            self._on_tick()
