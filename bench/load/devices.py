"""`python -m bench.load.devices WIRE`: posts on one device, and waits for the first text on another one, `times` times, each in a
stream of its own. Prints how many ms each took. A stream less is posted to before, so that nothing is done for the first time.
"""

import asyncio
import json
import sys
import time
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect

PAUSE_S = 0.05


async def measure(wire: dict[str, Any]) -> list[float]:
    act = _ours if wire["system"] == "ours" else _plain
    took = []
    for stream in wire["streams"]:
        took.append(await act(wire, stream))
        await asyncio.sleep(PAUSE_S)
    return took[-wire["times"] :]


async def _ours(wire: dict[str, Any], session: str) -> float:
    async with _device(wire, session) as writer, _device(wire, session) as reader:
        for socket in (writer, reader):
            await _subscribe(socket, session)
        post = {"type": "post", "id": str(uuid4()), "session": session, "parts": [{"type": "text", "text": "{}"}]}
        began = time.perf_counter()
        await writer.send(json.dumps(post))
        while not any(event["kind"] == "message.delta" for event in (await _receive(reader)).get("events", [])):
            pass
        return (time.perf_counter() - began) * 1000


def _device(wire: dict[str, Any], _: str) -> connect:
    headers = {"Authorization": f"Bearer {wire['token']}"}
    return connect(wire["url"], additional_headers=headers, subprotocols=["durable-sessions.v1"], compression=None)  # type: ignore[list-item]


async def _subscribe(socket: ClientConnection, session: str) -> None:
    await socket.send(json.dumps({"type": "hello", "device": str(uuid4())}))
    await socket.send(json.dumps({"type": "subscribe", "session": session, "last": 50}))
    while (await _receive(socket))["type"] != "events":
        pass


async def _plain(wire: dict[str, Any], stream: str) -> float:
    url = f"{wire['url']}{stream}/"
    async with connect(url, compression=None) as writer, connect(url, compression=None) as reader:
        for socket in (writer, reader):
            await _receive(socket)
        began = time.perf_counter()
        await writer.send(json.dumps({"words": 1, "every_us": 0, "pad": wire["pad"]}))
        await _receive(reader)
        return (time.perf_counter() - began) * 1000


async def _receive(socket: ClientConnection) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(await socket.recv())
    return frame


if __name__ == "__main__":
    json.dump(asyncio.run(measure(json.loads(sys.argv[1]))), sys.stdout)
