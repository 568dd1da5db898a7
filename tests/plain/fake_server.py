"""A WebSocket server that does nothing by itself: the test accepts each connection, and sends and receives each frame."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol

from tests.support.waiting import DEADLINE_S

SESSION: Final = "11111111-1111-4111-8111-111111111111"
WELCOME: Final = {"type": "welcome", "protocol": 1, "user": "7", "device": "d", "heartbeat_ms": 10_000, "limits": {}}


def subscribed(head: int, *, epoch: int = 1, restart: bool = False) -> dict[str, object]:
    return {
        "type": "subscribed",
        "session": SESSION,
        "epoch": epoch,
        "head": head,
        "role": "owner",
        "restart": restart,
    }


def events(start: int, end: int, *, epoch: int = 1, **more: object) -> dict[str, object]:
    actor = {"kind": "agent", "id": "script", "name": "Script"}
    found = [
        {"seq": seq, "kind": "of.the.future", "at": "2026-01-31T12:00:00.123Z", "actor": actor, "run": None, "data": {}}
        for seq in range(start + 1, end + 1)
    ]
    return {
        "type": "events",
        "session": SESSION,
        "epoch": epoch,
        "from": start,
        "to": end,
        "events": found,
        **more,
    }


class FakeSocket:
    """One connection of the client, at the server's end."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection

    async def sends(self, *frames: dict[str, object]) -> None:
        for frame in frames:
            await self.connection.send(json.dumps(frame))

    async def receives(self, type: str) -> dict[str, Any]:
        """Returns the client's next frame, which has to be of that type."""
        async with asyncio.timeout(DEADLINE_S):
            frame: dict[str, Any] = json.loads(await self.connection.recv())
        assert frame["type"] == type, frame
        return frame

    async def welcomes(self) -> dict[str, Any]:
        hello = await self.receives("hello")
        await self.sends(WELCOME)
        return hello

    async def aborts(self) -> None:
        """Drops the connection without a close frame, as a broken network does."""
        self.connection.transport.abort()
        await self.connection.wait_closed()


class FakeServer:
    def __init__(self) -> None:
        self._accepted: asyncio.Queue[FakeSocket] = asyncio.Queue()
        self.server: Server | None = None

    @property
    def url(self) -> str:
        assert self.server is not None
        port = next(iter(self.server.sockets)).getsockname()[1]
        return f"ws://127.0.0.1:{port}/ws/"

    async def accepts(self) -> FakeSocket:
        """Waits for the client's next connection and returns it."""
        async with asyncio.timeout(DEADLINE_S):
            return await self._accepted.get()

    async def welcomes(self) -> FakeSocket:
        socket = await self.accepts()
        await socket.welcomes()
        return socket

    @property
    def has_no_more(self) -> bool:
        """True if the client has made no connection that the test has not accepted."""
        return self._accepted.empty()

    async def keep(self, connection: ServerConnection) -> None:
        await self._accepted.put(FakeSocket(connection))
        await connection.wait_closed()


@asynccontextmanager
async def fake_server() -> AsyncIterator[FakeServer]:
    fake = FakeServer()
    subprotocol = Subprotocol("durable-sessions.v1")
    async with serve(fake.keep, "127.0.0.1", 0, subprotocols=[subprotocol], close_timeout=0.2) as server:
        fake.server = server
        yield fake
