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

OPEN_S: Final = 10.0  # connecting and the upgrade
CLOSE_S: Final = 1.0  # for the answer to our close
TICK_S: Final = 0.5
QUIET_S: Final = 4.0  # nothing came for so long: ask with a `ping` …
DEAD_S: Final = 8.0  # … and nothing came still: the link is dead, make another
LOST: Final = 1006  # no close frame came
TURNED_AWAY: Final = 4400  # our hello was refused, and would be again
LARGEST: Final = 64 * 1024 * 1024  # bytes of one frame that we accept

logger = logging.getLogger(__name__)


class Recorder(Protocol):
    """Hears every frame and every end of a link, for those who check them."""

    def sent(self, text: str) -> None: ...
    def received(self, text: str) -> None: ...
    def closed(self, code: int, reason: str) -> None: ...


class Nobody:
    """The Recorder of those who check nothing."""

    def sent(self, text: str) -> None: ...
    def received(self, text: str) -> None: ...
    def closed(self, code: int, reason: str) -> None: ...


class Ending(msgspec.Struct, frozen=True):
    """How a link ended. `welcomed_at` is None when it never came up."""

    code: int
    reason: str
    retry_after_ms: int | None
    welcomed_at: float | None


class _Socket(ClientConnection):
    """Notes when bytes came: over a slow line one large frame takes longer than a dead link is waited for."""

    heard_at = 0.0

    @override
    def data_received(self, data: bytes) -> None:
        self.heard_at = time.monotonic()
        super().data_received(data)


class Link:
    """`hear` gets every frame that is known, `tick` is called a few times a second while the link is up."""

    def __init__(self, hear: Callable[[ServerFrame], None], tick: Callable[[], None], recorder: Recorder) -> None:
        self.welcomed_at: float | None = None
        self._hear = hear
        self._tick = tick
        self._recorder = recorder
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._pinged_at = 0.0
        self._retry_after_ms: int | None = None
        self._turned_away: tuple[int, str] | None = None

    def send(self, text: str) -> None:
        """Puts it on the way; nobody learns here whether it arrived."""
        self._outbox.put_nowait(text)

    async def run(self, url: str, token: str, hello: str) -> Ending:
        """Lives until the link ends, however it ends."""
        code, reason = LOST, ""
        try:
            async with connect(
                url,
                additional_headers={"Authorization": f"Bearer {token}"},
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                compression=None,  # many small frames: it costs more than it saves
                proxy=None,
                open_timeout=OPEN_S,
                close_timeout=CLOSE_S,
                ping_interval=None,  # our own `ping` brings the heads as well
                max_size=LARGEST,
                create_connection=_Socket,
            ) as socket:
                assert isinstance(socket, _Socket)
                code, reason = await self._talk(socket, hello)
        except (OSError, TimeoutError, InvalidHandshake) as error:
            reason = str(error) or type(error).__name__
        self._recorder.closed(code, reason)
        return Ending(code=code, reason=reason, retry_after_ms=self._retry_after_ms, welcomed_at=self.welcomed_at)

    async def _talk(self, socket: _Socket, hello: str) -> tuple[int, str]:
        self.send(hello)
        helpers = [asyncio.create_task(self._write(socket)), asyncio.create_task(self._watch(socket))]
        try:
            while self._turned_away is None:
                text = await socket.recv(decode=True)
                self._recorder.received(text)
                self._take(text)
            return self._turned_away  # noqa: TRY300  # the loop is what may raise
        except ConnectionClosed as closed:
            return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (LOST, "the link was lost")
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.wait(helpers)

    def _take(self, text: str) -> None:
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
                self._turned_away = (LOST if retry else TURNED_AWAY, message)
            case _:
                pass
        self._hear(frame)

    async def _write(self, socket: ClientConnection) -> None:
        try:
            while True:
                text = await self._outbox.get()
                self._recorder.sent(text)
                await socket.send(text)
        except ConnectionClosed:
            return  # the reader tells

    async def _watch(self, socket: _Socket) -> None:
        """A link may die without a word: both ends then wait for ever, so silence is broken by a `ping`."""
        while True:
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            if now - socket.heard_at >= DEAD_S:
                socket.transport.abort()
                return
            if now - max(socket.heard_at, self._pinged_at) >= QUIET_S and self.welcomed_at is not None:
                self._pinged_at = now
                self.send(build("ping"))
            self._tick()
