"""Sparse: one line in the log for many events of a kind."""

from typing import Final

EVERY_S: Final = 10.0


class Sparse:
    """Counts events, and says when a line is due: for the first at once, then at most every EVERY_S for all since."""

    def __init__(self) -> None:
        self._count = 0
        self._quiet_until = float("-inf")

    def count(self, now: float, number: int = 1) -> int:
        """Counts so many events. Returns how many the line is to name, or 0 while no line is due. `now` is in seconds."""
        self._count += number
        if now < self._quiet_until:
            return 0
        due, self._count, self._quiet_until = self._count, 0, now + EVERY_S
        return due
