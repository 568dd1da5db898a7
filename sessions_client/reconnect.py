"""The wait before a reconnect: exponential backoff with full jitter, so that many clients do not come back in step.

https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

from collections.abc import Callable
from typing import Final

BASE_DELAY_S: Final = 0.5
MAX_DELAY_S: Final = 4.0  # a client has to reach the head within 5 s of the end of a fault, however long it lasted (P3)
TOO_SLOW: Final = 4408


def is_final(code: int) -> bool:
    """Returns whether the close code forbids to reconnect: 4400 to 4499 do, except 4408 (too slow)."""
    return 4400 <= code <= 4499 and code != TOO_SLOW  # noqa: PLR2004  # the wire's range


def delay(failures: int, *, retry_after_ms: int | None, random: Callable[[], float]) -> float:
    """Returns the seconds to wait after so many failures in a row, or the `retry_after_ms` of the server's `goodbye`."""
    if retry_after_ms is not None:
        return retry_after_ms / 1000
    return random() * min(MAX_DELAY_S, BASE_DELAY_S * 2.0 ** min(failures, 10))
