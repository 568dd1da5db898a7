"""Waiting for a fact of another process, while clients go on."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

POLL_S: Final = 0.05


async def eventually(
    fact: Callable[[], bool], *, within_s: float, otherwise: Callable[[], str] = str, blocking: bool = False
) -> None:
    """Returns once the fact is true; fails with what `otherwise` says. A `blocking` fact is asked for on a thread."""
    deadline = time.monotonic() + within_s
    while not (await asyncio.to_thread(fact) if blocking else fact()):
        assert time.monotonic() < deadline, f"not within {within_s} s: {otherwise()}"
        await asyncio.sleep(POLL_S)
