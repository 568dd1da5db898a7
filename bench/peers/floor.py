"""The floor: what `websockets` alone delivers in one bare process. It stores nothing, and nobody can catch up.

`python -m bench.peers.floor PORT`. A client of `/publish` sends texts; each goes to all other clients in one `broadcast`.
"""

import asyncio
import sys

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

READERS: set[ServerConnection] = set()


async def handle(connection: ServerConnection) -> None:
    if connection.request is not None and connection.request.path == "/publish":
        async for message in connection:
            broadcast(READERS, message)
        return
    READERS.add(connection)
    await connection.send('{"type":"joined"}')
    await connection.wait_closed()
    READERS.discard(connection)


async def main() -> None:
    async with serve(handle, "127.0.0.1", int(sys.argv[1]), compression=None):
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    uvloop.run(main())
