"""The agent of the measures. It says times, in µs of the monotonic clock, which all processes of a machine share."""

import asyncio
import time

import msgspec
from msgspec import Struct

from agents.sdk import AgentRun, agent


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    """Does so many `steps`, sleeps, asks a question, and says so many `words`, one every `every_us`."""

    words: int = 1
    every_us: int = 100_000
    steps: int = 0
    sleep_s: float = 0
    ask: bool = False


@agent("timed", title="Timed", description="Says what time it is.")
async def perform(run: AgentRun) -> None:
    """The result of each step is the time when it began. The first word is the time when the agent had done all before it; each
    is the time when it had to be said.
    """
    order = msgspec.json.decode(run.input, type=Order)
    for n in range(order.steps):
        await run.step(f"step {n}", _clock)
    if order.sleep_s:
        await run.sleep(order.sleep_s)
    if order.ask:
        await run.ask({"type": "object"}, "Go on?")
    due = now()
    async with run.message() as message:
        for _ in range(order.words):
            await asyncio.sleep(max(0, due - now()) / 1e6)
            await message.append(f"{due} ")
            due += order.every_us


def now() -> int:
    return time.monotonic_ns() // 1000


async def _clock() -> int:
    return now()
