"""Waiting for a fact, never for a time.

There is one deadline for all waits. It ends a test that hangs and measures nothing, so it is generous: a machine may be busy.
How long something takes is measured in `bench/`.
"""

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Final, TypeVar

DEADLINE_S: Final = 60.0
DEADLINE_MS: Final = DEADLINE_S * 1000  # for Playwright
START_S: Final = 180.0  # for a process to start and to be ready
POLL_S: Final = 0.05
T = TypeVar("T")


def until(fact: Callable[[], T | None], *, within_s: float = DEADLINE_S, otherwise: Callable[[], str] = str) -> T:
    """Returns what `fact` returns as soon as that is truthy. Fails with what `otherwise` says after `within_s`."""
    deadline = time.monotonic() + within_s
    while not (value := fact()):
        assert time.monotonic() < deadline, f"not within {within_s} s: {otherwise()}"
        time.sleep(POLL_S)
    return value


async def eventually(
    fact: Callable[[], object],
    *,
    within_s: float = DEADLINE_S,
    otherwise: Callable[[], str] = str,
    blocking: bool = False,
) -> None:
    """Returns as soon as `fact` returns something truthy, while the event loop goes on. A `blocking` fact runs on a thread, and
    one that returns an awaitable is awaited: `bridge.run(…)` for the test's database, whose connection has to be given back.
    """

    async def seen() -> object:
        value = await asyncio.to_thread(fact) if blocking else fact()
        return await value if inspect.isawaitable(value) else value

    deadline = time.monotonic() + within_s
    while not await seen():
        assert time.monotonic() < deadline, f"not within {within_s} s: {otherwise()}"
        await asyncio.sleep(POLL_S)
