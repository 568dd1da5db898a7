"""A server of the wire whose every move is the test's: it says fixed frames and hears what the client says."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol

WITHIN_S: Final = 5.0
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


class FakeLink:
    """One connection of the client, at the server's end."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket

    async def says(self, *frames: dict[str, object]) -> None:
        for frame in frames:
            await self.socket.send(json.dumps(frame))

    async def hears(self, type: str) -> dict[str, Any]:
        """The client's next frame, which has to be of that type."""
        async with asyncio.timeout(WITHIN_S):
            frame: dict[str, Any] = json.loads(await self.socket.recv())
        assert frame["type"] == type, frame
        return frame

    async def welcomes(self) -> dict[str, Any]:
        hello = await self.hears("hello")
        await self.says(WELCOME)
        return hello

    async def breaks(self) -> None:
        """Without a word, as a network does."""
        self.socket.transport.abort()
        await self.socket.wait_closed()


class FakeServer:
    def __init__(self) -> None:
        self._links: asyncio.Queue[FakeLink] = asyncio.Queue()
        self.server: Server | None = None

    @property
    def url(self) -> str:
        assert self.server is not None
        port = next(iter(self.server.sockets)).getsockname()[1]
        return f"ws://127.0.0.1:{port}/ws/"

    async def accepts(self) -> FakeLink:
        """The client's next connection."""
        async with asyncio.timeout(WITHIN_S):
            return await self._links.get()

    async def welcomes(self) -> FakeLink:
        link = await self.accepts()
        await link.welcomes()
        return link

    @property
    def is_left_alone(self) -> bool:
        """No connection that nobody accepted."""
        return self._links.empty()

    async def keep(self, socket: ServerConnection) -> None:
        await self._links.put(FakeLink(socket))
        await socket.wait_closed()


@asynccontextmanager
async def fake_server() -> AsyncIterator[FakeServer]:
    fake = FakeServer()
    subprotocol = Subprotocol("durable-sessions.v1")
    async with serve(fake.keep, "127.0.0.1", 0, subprotocols=[subprotocol], close_timeout=0.2) as server:
        fake.server = server
        yield fake
