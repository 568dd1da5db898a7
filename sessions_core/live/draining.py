"""A flag: this process was told to stop. Both `process.health` and Delivery need it, so it lies below them."""

from threading import Event
from typing import Final

_DRAINING: Final = Event()


def begin() -> None:
    """Marks this process as draining, for good. It is not ready any more, and sends its readers to other processes."""
    _DRAINING.set()


def begun() -> bool:
    return _DRAINING.is_set()
