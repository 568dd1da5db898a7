"""Token buckets: how many requests somebody may make. Plain values; whoever uses them brings the time."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Final

_KEPT: Final = 10_000  # keys remembered; the one that was quiet the longest is forgotten first: its bucket is full


class Buckets:
    """One bucket per key, of `burst` requests, filled again at `rate_per_s`. Safe to share between threads."""

    def __init__(self, *, rate_per_s: float, burst: int, kept: int = _KEPT) -> None:
        self._rate = rate_per_s
        self._burst = float(burst)
        self._kept = kept
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, key: Hashable, *, now_s: float) -> float:
        """Takes one request. Returns 0.0, or, where the bucket is empty, the seconds until there is one."""
        with self._lock:
            level, since = self._levels.pop(key, (self._burst, now_s))
            level = min(self._burst, level + max(now_s - since, 0.0) * self._rate)
            granted = level >= 1
            self._levels[key] = (level - 1 if granted else level, now_s)
            if len(self._levels) > self._kept:
                self._levels.popitem(last=False)
            return 0.0 if granted else (1 - level) / self._rate
