"""`python -m bench.load.writers PLAN`: many writers append at once through one Appender. Prints Events per second."""

import asyncio
import json
import sys
from time import monotonic
from typing import Any

import django

django.setup()

from bench.load.runs import Runs  # noqa: E402


async def main(plan: dict[str, Any]) -> None:
    runs = await Runs.begin(plan["claims"], kind="delta")
    end = monotonic() + plan["seconds"]
    written = 0

    async def write(stream: int) -> None:
        nonlocal written
        while monotonic() < end:
            await runs.append_many(stream, plan["batch"])
            written += plan["batch"]

    began = monotonic()
    await asyncio.gather(*[write(stream) for stream in range(len(runs.claims))])
    json.dump(written / (monotonic() - began), sys.stdout)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
