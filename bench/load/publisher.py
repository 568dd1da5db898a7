"""Publishes for the systems in Python, as a worker process would: one JSON argument, the same as publisher.mjs takes.

For ours the Runs are claimed here and written by the worker's own Appender; `taken` is the moment after the commit, before
the hint. For plain Channels it is the moment before `group_send`.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic_ns
from typing import Any

PLAN: dict[str, Any] = json.loads(sys.argv[1])
TAKEN: list[tuple[int, int, int, int]] = []
WINDOW = 16  # under way at once, where nothing is paced
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
        TAKEN.append((stream, n, at, at))

    return publish


async def ours() -> Publish:
    import django

    django.setup()
    from bench.load.runs import Runs

    runs = await Runs.claimed(PLAN["claims"], kind=PLAN["kind"])

    async def publish(stream: int, n: int) -> None:
        TAKEN.append((stream, n, *await runs.append(stream, n)))

    return publish


async def main() -> None:
    publish = await {"ours": ours, "channels": channels}[PLAN["system"]]()
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
    await asyncio.sleep(0.5)  # hints leave by themselves


if __name__ == "__main__":
    asyncio.run(main())
    Path(PLAN["out"]).write_text("\n".join(",".join(map(str, row)) for row in TAKEN))
