"""How much one Connection may ask, and how many Connections there may be. Plain: the time is given."""

from collections import Counter, deque
from typing import Final, TypeVar

from django.conf import settings

from sessions_core.protocol.frames import CLOSE_BUSY, CLOSE_CONNECTION_LIMIT
from sessions_core.protocol.ids import UserId

FRAMES_PER_S: Final = 30  # a person's tabs stay below 5; a script that posts is bound by the database earlier
FRAME_BURST: Final = 120  # frames at once: subscribing a long list after a reconnect
SUBSCRIPTIONS: Final = 200  # of one Connection
BAD_FRAMES: Final = 10  # within BAD_FRAMES_S, then the client is misbehaving
BAD_FRAMES_S: Final = 60.0

T = TypeVar("T")


class FrameRate:
    """A token bucket for frames, and the memory of bad ones."""

    __slots__ = ("_at", "_bad", "_left")

    def __init__(self) -> None:
        self._left = float(FRAME_BURST)
        self._at = 0.0
        self._bad: deque[float] | None = None

    def wait_s(self, now: float) -> float:
        """0.0 for a frame that may come now; otherwise the seconds until one may."""
        self._left = min(FRAME_BURST, self._left + (now - self._at) * FRAMES_PER_S)
        self._at = now
        if self._left >= 1:
            self._left -= 1
            return 0.0
        return (1 - self._left) / FRAMES_PER_S

    def bad(self, now: float) -> bool:
        """Counts a bad frame; True when there have been too many."""
        if self._bad is None:
            self._bad = deque(maxlen=BAD_FRAMES)
        self._bad.append(now)
        return len(self._bad) == BAD_FRAMES and now - self._bad[0] < BAD_FRAMES_S


class Census:
    """The Connections of this process by user and by address."""

    def __init__(self) -> None:
        self._users: Counter[UserId] = Counter()
        self._addresses: Counter[str] = Counter()

    def admit(self, user: UserId, address: str) -> int | None:
        """Counts one more; or, not counting it, the close code that it is refused with."""
        if self._users[user] >= settings.CONNECTIONS_PER_USER:
            return CLOSE_CONNECTION_LIMIT
        if address and self._addresses[address] >= settings.CONNECTIONS_PER_ADDRESS:
            return CLOSE_BUSY
        self._users[user] += 1
        self._addresses[address] += 1
        return None

    def leave(self, user: UserId, address: str) -> None:
        _take(self._users, user)
        _take(self._addresses, address)


def _take(counted: Counter[T], one: T) -> None:
    """One less. Counter's own `-=` looks through all keys: a herd that is cut off would cost its square."""
    counted[one] -= 1
    if counted[one] < 1:
        del counted[one]
