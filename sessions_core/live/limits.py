"""Limits: how many frames a client may send, and how many Connections a user and an address may have."""

from collections import Counter, deque
from typing import Final, TypeVar

from django.conf import settings

from sessions_core.machines.token_bucket import Rate
from sessions_core.protocol.frames import CLOSE_BUSY, CLOSE_CONNECTION_LIMIT
from sessions_core.protocol.ids import UserId

FRAMES_PER_S: Final = 30  # a person's tabs stay below 5; a script that posts meets the limit of the database first
FRAME_BURST: Final = 120  # frames at once: a client subscribes to a long list after it reconnects
WAITING_FRAMES: Final = 64  # of one Connection, received but not yet executed; more are refused
WAITING_BYTES: Final = 1024 * 1024  # of these frames and the one that is executed
SUBSCRIPTIONS: Final = 200  # of one Connection
LARGE_FRAME_BYTES: Final = 64 * 1024  # a larger frame counts as one for each, because reading it takes the loop's time
BAD_FRAMES: Final = 10  # within BAD_FRAMES_S; then the client is closed as misbehaving
BAD_FRAMES_S: Final = 60.0

_FRAME_RATE: Final = Rate(per_s=FRAMES_PER_S, burst=FRAME_BURST)

T = TypeVar("T")


class FrameRate:
    """A token bucket for the frames of one client, and the times of its last bad frames. Times are the loop's, in seconds."""

    __slots__ = ("_at", "_bad", "_level")

    def __init__(self) -> None:
        self._level = _FRAME_RATE.burst
        self._at = 0.0
        self._bad: deque[float] | None = None

    def wait_s(self, now: float, size: int) -> float:
        """Takes one frame of `size` bytes. Returns 0.0, or the seconds to wait if it is too many."""
        self._level, wait_s = _FRAME_RATE.take(self._level, now - self._at, tokens=1 + size // LARGE_FRAME_BYTES)
        self._at = now
        return wait_s

    def count_bad(self, now: float) -> bool:
        """Counts a bad frame. Returns True if there were BAD_FRAMES within BAD_FRAMES_S."""
        if self._bad is None:
            self._bad = deque(maxlen=BAD_FRAMES)
        self._bad.append(now)
        return len(self._bad) == BAD_FRAMES and now - self._bad[0] < BAD_FRAMES_S


class ConnectionLimit:
    """Counts the Connections of this process by user and by address, and admits no more than the settings allow."""

    def __init__(self) -> None:
        self._users: Counter[UserId] = Counter()
        self._addresses: Counter[str] = Counter()

    def admit(self, user: UserId, address: str) -> int | None:
        """Counts one Connection more. Over a limit it is not counted, and the close code to refuse it with is returned."""
        if self._users[user] >= settings.CONNECTIONS_PER_USER:
            return CLOSE_CONNECTION_LIMIT
        if address and self._addresses[address] >= settings.CONNECTIONS_PER_ADDRESS:
            return CLOSE_BUSY
        self._users[user] += 1
        self._addresses[address] += 1
        return None

    def release(self, user: UserId, address: str) -> None:
        """Counts one Connection less."""
        _decrement(self._users, user)
        _decrement(self._addresses, address)


def _decrement(counter: Counter[T], key: T) -> None:
    """Counter's own `-=` is O(keys): a mass disconnect would be O(n²)."""
    counter[key] -= 1
    if counter[key] < 1:
        del counter[key]
