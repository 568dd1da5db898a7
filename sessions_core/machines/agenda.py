"""Agenda: what is due at which time, for many things of which few are due at once."""

from heapq import heappop, heappush
from itertools import count
from typing import Generic, TypeVar

K = TypeVar("K")


class Agenda(Generic[K]):
    """One time for each key, in seconds of the caller's clock. What costs time is a change, not a key that waits.

    A heap; an entry whose time has been changed stays in it until it is due, and is skipped then.
    """

    def __init__(self) -> None:
        self._times: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._order = count()  # keys need no order of their own

    def __len__(self) -> int:
        return len(self._times)

    def set(self, key: K, at: float) -> None:
        """Makes the key due at that time, instead of any other."""
        if self._times.get(key) != at:
            self._times[key] = at
            heappush(self._heap, (at, next(self._order), key))

    def hasten(self, key: K, at: float) -> None:
        """Makes the key due at that time, unless it is due earlier."""
        if at < self._times.get(key, float("inf")):
            self.set(key, at)

    def remove(self, key: K) -> None:
        self._times.pop(key, None)

    def take(self, now: float) -> K | None:
        """Removes and returns a key that is due, the longest overdue first, or None."""
        while self._heap and self._heap[0][0] <= now:
            at, _, key = heappop(self._heap)
            if self._times.get(key) == at:
                del self._times[key]
                return key
        return None
