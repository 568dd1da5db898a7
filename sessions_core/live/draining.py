"""The flag that this process was told to stop. It lies here, because readers are sent away and health says so."""

from threading import Event
from typing import Final

_DRAINING: Final = Event()


def begin() -> None:
    """Marks this process as draining, for good: it is not ready any more, and sends its sockets elsewhere."""
    _DRAINING.set()


def begun() -> bool:
    return _DRAINING.is_set()
