"""Publishes to ours, to plain Channels and to the floor as a worker process does. Takes the plan as one JSON argument, as
publisher.mjs does.

Writes a row for each number: stream, number, time of the call, time of the commit, in microseconds. Plain Channels and the
floor commit nothing: theirs is the moment before the number is sent.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic_ns
from typing import Any

PLAN: dict[str, Any] = json.loads(sys.argv[1])
ROWS: list[tuple[int, int, int, int]] = []
WINDOW = 16  # appends at the same time, if they are not paced
Publish = Callable[[int, int], Awaitable[None]]


def now() -> int:
    return monotonic_ns() // 1000


async def channels() -> Publish:
    from bench.peers.channels import configure

    configure()
    from channels.layers import get_channel_layer  # noqa: TID251  # the pattern that is measured

    layer = get_channel_layer()

    async def publish(stream: int, n: int) -> None:
        at = now()
        await layer.group_send(PLAN["streams"][stream], {"type": "stream.delta", "text": f"{n} ", "pad": PLAN["pad"]})
        ROWS.append((stream, n, at, at))

    return publish


async def floor() -> Publish:
    from websockets.asyncio.client import connect

    socket = await connect(f"{PLAN['url']}publish", compression=None)

    async def publish(stream: int, n: int) -> None:
        at = now()
        await socket.send(json.dumps({"text": f"{n} ", "pad": PLAN["pad"]}))
        ROWS.append((stream, n, at, at))

    return publish


async def ours() -> Publish:
    import django

    django.setup()
    from bench.load.runs import Runs

    runs = await Runs.begin(PLAN["claims"], kind=PLAN["kind"])

    async def publish(stream: int, n: int) -> None:
        ROWS.append((stream, n, *await runs.append(stream, n)))

    return publish


async def main() -> None:
    publish = await {"ours": ours, "channels": channels, "floor": floor}[PLAN["system"]]()
    began = now() + 100_000

    async def paced(stream: int) -> None:
        for n in range(PLAN["count"]):
            due = began + n * PLAN["every_us"] + stream * PLAN["every_us"] // len(PLAN["streams"])
            await asyncio.sleep(max(0, due - now()) / 1e6)
            await publish(stream, n)

    async def at_once(stream: int) -> None:
        for first in range(0, PLAN["count"], WINDOW):
            some = range(first, min(first + WINDOW, PLAN["count"]))
            await asyncio.gather(*[publish(stream, n) for n in some])

    each = paced if PLAN["every_us"] else at_once
    await asyncio.gather(*[each(stream) for stream in range(len(PLAN["streams"]))])
    await asyncio.sleep(0.5)  # hints are sent in the background


if __name__ == "__main__":
    asyncio.run(main())
    Path(PLAN["out"]).write_text("\n".join(",".join(map(str, row)) for row in ROWS))
