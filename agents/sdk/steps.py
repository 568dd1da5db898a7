"""Doing the work of a step: with a time limit, and again after an error."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import Final

from msgspec import Struct

# The key of the step that the present task does. Tasks that it starts inherit it.
current: Final[ContextVar[str]] = ContextVar("key of a step", default="")


class Retries(Struct, frozen=True):
    """How often work is tried again, after which pauses in seconds, after which errors, and how long it may take each time."""

    count: int
    backoff: tuple[float, float]
    on: tuple[type[Exception], ...]
    timeout: float | None


async def attempt(
    key: str,
    work: Callable[..., Awaitable[object]],
    arguments: Sequence[object],
    retries: Retries,
    begin_try: Callable[[], None],
) -> object:
    """Returns what the work returns, and raises what it raises the last time. Calls `begin_try` before each time."""
    pause_s, longest_s = retries.backoff
    token = current.set(key)
    try:
        for left in range(retries.count, -1, -1):
            begin_try()
            try:
                async with asyncio.timeout(retries.timeout):
                    return await work(*arguments)
            except retries.on:
                if not left:
                    raise
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, longest_s)
    finally:
        current.reset(token)
    raise AssertionError("unreachable")
