"""Token buckets: a limit on how many requests or frames somebody may send. The caller passes the time in."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Final

from msgspec import Struct

_KEYS: Final = 10_000  # the key that was quiet for longest is forgotten first: its bucket is full again anyway


class Rate(Struct, frozen=True):
    """`per_s` tokens a second, and at most `burst` tokens at once."""

    per_s: float
    burst: float

    def take(self, level: float, elapsed_s: float, *, tokens: int = 1) -> tuple[float, float]:
        """Refills a bucket that held `level` tokens `elapsed_s` ago, and takes `tokens` of them. Returns the new level and 0.0,
        or, where there were too few, the seconds until there are enough.
        """
        level = min(self.burst, level + max(elapsed_s, 0.0) * self.per_s)
        return (level - tokens, 0.0) if level >= tokens else (level, (tokens - level) / self.per_s)


class Buckets:
    """One bucket per key. Safe to share between threads."""

    def __init__(self, rate: Rate, *, keys: int = _KEYS) -> None:
        self._rate = rate
        self._keys = keys
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()  # level and time of the last `take`
        self._lock = Lock()

    def take(self, key: Hashable, *, now_s: float) -> float:
        """Takes one token. Returns 0.0, or, where the bucket is empty, the seconds until there is one."""
        with self._lock:
            level, since_s = self._buckets.pop(key, (self._rate.burst, now_s))
            level, wait_s = self._rate.take(level, now_s - since_s)
            self._buckets[key] = (level, now_s)
            if len(self._buckets) > self._keys:
                self._buckets.popitem(last=False)
            return wait_s

    def give_back(self, key: Hashable) -> None:
        """Puts a token back that was taken a moment ago."""
        with self._lock:
            if key in self._buckets:
                level, since_s = self._buckets[key]
                self._buckets[key] = (level + 1, since_s)
