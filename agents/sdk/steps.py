"""Doing the work of a step: with a time limit, and again after an error. What it does has keys within that of the step."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from msgspec import Struct

# The key of the step or tool call that the present task does. Tasks that it starts inherit it.
current: Final[ContextVar[str]] = ContextVar("key of a step", default="")
# What the default keys of the present task begin with: tasks side by side count each for itself.
scope: Final[ContextVar[str]] = ContextVar("scope of keys", default="")
# The key of the outermost step or tool call that the present task does: the one that is replayed as a whole.
outermost: Final[ContextVar[str]] = ContextVar("key of the outermost step", default="")


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
    with within(key):
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
    raise AssertionError("unreachable")


@contextmanager
def within(key: str) -> Iterator[None]:
    """Does the work of the key in this block."""
    tokens = current.set(key), scope.set(f"{key}."), outermost.set(outermost.get() or key)
    try:
        yield
    finally:
        current.reset(tokens[0])
        scope.reset(tokens[1])
        outermost.reset(tokens[2])
