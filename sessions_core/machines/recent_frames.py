"""Frames of Sessions that are kept in memory, from which many clients that reconnect at once are served. They are bounded for
each Session, and for all Sessions of a process together.
"""

import sys
from collections import OrderedDict
from typing import Final

from msgspec import Struct

from sessions_core.machines.send_buffer import Frame

SESSION_FRAMES: Final = 512  # about 20 s of an answer; the log has the rest, in fewer and larger frames
SESSION_BYTES: Final = 1024 * 1024
HISTORY_SHARE: Final = 4  # one part in so many is for pages from further back
OVERHEAD_BYTES: Final = 500  # of one frame beside its text, measured


class EventsFrame(Frame, frozen=True):
    """An `events` frame, encoded once for all who get it. `end` is the cursor of a reader that has applied it."""

    end: int = 0


class _Kept(Struct, frozen=True):
    """A frame with its memory in bytes, and its number in the budget."""

    frame: EventsFrame
    memory: int
    number: int


class FrameBudget:
    """Bounds the memory of all RecentFrames that share it, in bytes. The oldest frame goes first, whatever Session it is of; the
    newest always stays.
    """

    def __init__(self, limit: int) -> None:
        self.used = 0
        self._limit = limit
        self._owners: OrderedDict[int, tuple[RecentFrames, int]] = OrderedDict()  # with the start of the frame
        self._number = 0

    def add(self, owner: "RecentFrames", start: int, memory: int) -> int:
        """Counts a frame, and makes the owners of the oldest ones forget them until all are within the limit. Returns the number
        to remove it by.
        """
        self._number += 1
        self._owners[self._number] = (owner, start)
        self.used += memory
        while self.used > self._limit and len(self._owners) > 1:
            oldest, its_start = next(iter(self._owners.values()))
            oldest.forget(its_start)
        return self._number

    def remove(self, number: int, memory: int) -> None:
        del self._owners[number]
        self.used -= memory


class FrameMemory(Struct, frozen=True):
    """The budgets of a process. Pages from further back in a log have one of their own: a reader of a long log, who needs each
    of them once, must not drive out the newest frames of all Sessions.
    """

    newest: FrameBudget
    history: FrameBudget

    @classmethod
    def of(cls, limit: int) -> "FrameMemory":
        """Returns budgets with so many bytes together."""
        return cls(newest=FrameBudget(limit - limit // HISTORY_SHARE), history=FrameBudget(limit // HISTORY_SHARE))


class RecentFrames:
    """The frames of one Session that were added last, by the cursor that each continues."""

    def __init__(self, budget: FrameBudget) -> None:
        self._budget = budget
        self._kept: OrderedDict[int, _Kept] = OrderedDict()
        self._memory = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, start: int) -> EventsFrame | None:
        """Returns the frame that continues the cursor `start`."""
        kept = self._kept.get(start)
        return kept.frame if kept else None

    def keep(self, start: int, frame: EventsFrame) -> None:
        """Adds a frame in the place of the one with the same start, and forgets the oldest beyond the bounds."""
        self.forget(start)
        memory = sys.getsizeof(frame.text) + OVERHEAD_BYTES
        self._kept[start] = _Kept(frame, memory, self._budget.add(self, start, memory))
        self._memory += memory
        while len(self._kept) > SESSION_FRAMES or (self._memory > SESSION_BYTES and len(self._kept) > 1):
            self.forget(next(iter(self._kept)))

    def forget(self, start: int) -> None:
        """Removes the frame with that start, if there is one."""
        if (kept := self._kept.pop(start, None)) is not None:
            self._memory -= kept.memory
            self._budget.remove(kept.number, kept.memory)

    def clear(self) -> None:
        """Removes all frames: the Session is not followed any more."""
        for start in tuple(self._kept):
            self.forget(start)
