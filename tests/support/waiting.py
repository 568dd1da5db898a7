"""Waiting for a fact, never for a time."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

POLL_S: Final = 0.05
T = TypeVar("T")


def until(fact: Callable[[], T | None], *, within_s: float, otherwise: Callable[[], str] = str) -> T:
    """What `fact` gives, once that is neither None nor False nor empty; after `within_s` it fails with what `otherwise` says."""
    deadline = time.monotonic() + within_s
    while not (value := fact()):
        assert time.monotonic() < deadline, f"not within {within_s} s: {otherwise()}"
        time.sleep(POLL_S)
    return value
