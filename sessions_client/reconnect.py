"""When to try again. Full jitter, so that a herd of clients does not come back in step."""

from collections.abc import Callable
from typing import Final

FIRST_S: Final = 0.5
MOST_S: Final = 4.0  # a client is at the head within 5 s of the end of a fault, however long it took (P3)
TOO_SLOW: Final = 4408


def is_final(code: int) -> bool:
    """Does that close code forbid to reconnect by oneself? 44xx does, other than 4408 (too slow)."""
    return 4400 <= code <= 4499 and code != TOO_SLOW  # noqa: PLR2004  # the wire's range


def delay(failures: int, *, retry_after_ms: int | None, random: Callable[[], float]) -> float:
    """Seconds to wait after so many failures in a row; what the server's `goodbye` said goes first."""
    if retry_after_ms is not None:
        return retry_after_ms / 1000
    return random() * min(MOST_S, FIRST_S * 2.0 ** min(failures, 10))
