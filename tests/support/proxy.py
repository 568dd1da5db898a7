"""A relay between two processes that can be made to behave like a bad network.

    with Proxy("/run/valkey.sock") as path:
        subprocess.Popen(..., env={"REDIS_URL": f"redis://127.0.0.1:{path.port}"})
        path.stall()        # a black hole: nothing arrives, nothing fails
        path.cut()          # every connection gets a RST
        path.throttle(1024) # bytes a second of each connection
        path.refuse()       # cut, and nobody gets in again
        path.heal()

It runs on one thread of its own, so it serves tests with and without an event loop. Its acts return when they are in force.
"""

import asyncio
import contextlib
import socket
import struct
import sys
import threading
from collections.abc import Callable, Coroutine
from enum import Flag, auto
from functools import cache
from typing import Any, Final, Self, TypeVar

import uvloop

CHUNK: Final = 64 * 1024
LOOPBACK: Final = "127.0.0.1"
PATIENCE_S: Final = 10.0
SWITCH_S: Final = (
    0.0005  # the proxies share this interpreter with many clients; by default each thread keeps it for 5 ms
)
SLICES: Final = 10  # pieces in which the bytes of a throttled second are sent

Address = tuple[str, int] | str  # host and port, or the path of a unix socket
T = TypeVar("T")


class Way(Flag):
    """The direction in which bytes travel."""

    TO_SERVER = auto()
    TO_CLIENT = auto()
    BOTH = TO_SERVER | TO_CLIENT


class Proxy:
    """Listens on a loopback port and relays to `upstream`, which may be changed while it runs.

    `buffer_bytes` bounds what the kernel holds for each connection, so that a server soon feels a slow client.
    """

    def __init__(self, upstream: Address, *, buffer_bytes: int | None = None) -> None:
        self.upstream = upstream
        self.accepted = 0  # connections since it was made
        self._buffer_bytes = buffer_bytes
        self._listener = self._listen(0)
        self.port: int = self._listener.getsockname()[1]
        self._open: dict[Way, asyncio.Event] = {}
        self._rate: float | None = None
        self._refusing = False
        self._relays: set[asyncio.Task[None]] = set()
        self._serving: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        _call(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        _call(self._stop())

    @property
    def connections(self) -> int:
        """How many connections are relayed now."""
        return len(self._relays)

    def stall(self, way: Way = Way.BOTH) -> None:
        """Lets nothing through in that direction, of new connections neither. Both ends see only silence."""
        _call(self._gates(way, is_open=False))

    def cut(self) -> None:
        """Ends every connection with a RST, at both ends. New ones are let in."""
        _call(self._cut())

    def refuse(self) -> None:
        """Cuts every connection, and each new one as soon as it comes."""
        self._refusing = True
        self.cut()

    def throttle(self, bytes_a_second: float) -> None:
        """Lets so many bytes a second through to each client."""
        self._rate = bytes_a_second

    def resume(self) -> None:
        """Ends the stall; a throttle stays."""
        _call(self._gates(Way.BOTH, is_open=True))

    def heal(self) -> None:
        """Lets everything through again, at full speed."""
        self._refusing = False
        self._rate = None
        self.resume()

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server((LOOPBACK, port), backlog=2048)
        if self._buffer_bytes is not None:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._buffer_bytes)
        listener.setblocking(False)
        return listener

    async def _start(self) -> None:
        self._open = {Way.TO_SERVER: asyncio.Event(), Way.TO_CLIENT: asyncio.Event()}
        await self._gates(Way.BOTH, is_open=True)
        self._serving = asyncio.create_task(self._serve())

    async def _stop(self) -> None:
        assert self._serving is not None
        self._serving.cancel()
        await asyncio.wait([self._serving])
        await self._cut()
        self._listener.close()

    async def _gates(self, way: Way, *, is_open: bool) -> None:
        for each, gate in self._open.items():
            if each in way:
                gate.set() if is_open else gate.clear()

    async def _cut(self) -> None:
        relays = list(self._relays)
        for relay in relays:
            relay.cancel()
        if relays:
            await asyncio.wait(relays)

    async def _serve(self) -> None:
        while True:
            client, _ = await _loop().sock_accept(self._listener)
            self.accepted += 1
            if self._refusing:
                _reset(client)
                continue
            relay = asyncio.create_task(self._relay(client))
            self._relays.add(relay)
            relay.add_done_callback(self._relays.discard)

    async def _relay(self, client: socket.socket) -> None:
        ends = [client]
        close: Callable[[socket.socket], None] = _reset
        try:
            server = await self._connect()
            ends.append(server)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(client, server, Way.TO_SERVER))
                both.create_task(self._pump(server, client, Way.TO_CLIENT))
            close = socket.socket.close
        except* OSError:
            pass  # one end is gone; `finally` resets the other
        finally:
            for end in ends:
                close(end)

    async def _connect(self) -> socket.socket:
        upstream = self.upstream
        server = socket.socket(socket.AF_UNIX if isinstance(upstream, str) else socket.AF_INET)
        if self._buffer_bytes is not None:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._buffer_bytes)
        server.setblocking(False)
        try:
            await self._open[Way.TO_SERVER].wait()
            await _loop().sock_connect(server, upstream)
        except BaseException:
            server.close()
            raise
        return server

    async def _pump(self, source: socket.socket, sink: socket.socket, way: Way) -> None:
        """Relays until the source sends its end. Bytes that were already read when the direction is stalled wait here."""
        gate = self._open[way]
        while True:
            await gate.wait()
            data = await _loop().sock_recv(source, CHUNK)
            await gate.wait()
            if not data:
                with contextlib.suppress(OSError):
                    sink.shutdown(socket.SHUT_WR)
                return
            while data:
                rate = self._rate if way is Way.TO_CLIENT else None
                slice_size = len(data) if rate is None else max(1, int(rate / SLICES))
                await _loop().sock_sendall(sink, data[:slice_size])
                if rate is not None:
                    await asyncio.sleep(slice_size / rate)
                data = data[slice_size:]


def _reset(end: socket.socket) -> None:
    if end.family != socket.AF_UNIX:
        with contextlib.suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()


def _call(act: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(act, _thread_loop()).result(PATIENCE_S)


def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


@cache
def _thread_loop() -> asyncio.AbstractEventLoop:
    sys.setswitchinterval(SWITCH_S)
    loop = uvloop.new_event_loop()
    threading.Thread(target=loop.run_forever, name="proxies", daemon=True).start()
    return loop
