"""SendBuffer: the frames that are still to be sent to one client. Bounded in bytes, so that a client that does not read costs a
bounded amount of memory (P11).
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from sessions_core.protocol.ids import SessionId

REPLY_BYTES: Final = 64 * 1024  # above the limit, for replies: unlike Events, they cannot be read again from the log


def size_of(text: str) -> int:
    """Returns the size of the text in UTF-8, in bytes."""
    return len(text) if text.isascii() else len(text.encode())


class Frame(Struct, frozen=True, gc=False):
    """The text of one WebSocket message, shared by all who get it. `size` is in bytes; `session` is set for Events of a log."""

    text: str
    size: int
    session: SessionId | None = None


class SendBuffer:
    """A queue of frames with a limit in bytes. An empty buffer takes any frame, however large it is.

    The sender sets `sleeps` when it has nothing to send; the next frame unsets it and calls `wake`. `put` sets `refused` when a
    frame does not fit; once the buffer is empty, the sender unsets it and lets the stalled Subscriptions go on.
    """

    __slots__ = ("_frames", "_limit", "_size", "_wake", "overflowed", "refused", "sleeps")

    def __init__(self, limit: int, wake: Callable[[], None]) -> None:
        self._frames: deque[Frame] = deque()
        self._limit = limit
        self._size = 0
        self._wake = wake
        self.sleeps = False
        self.refused = False
        self.overflowed = False

    def __len__(self) -> int:
        return len(self._frames)

    def fits(self, size: int) -> bool:
        """Returns whether `put` would take a frame of that size."""
        return self._size + size <= self._limit or not self._frames

    def put(self, frame: Frame) -> bool:
        """Adds a frame that can be read again later. Returns False, and sets `refused`, when it does not fit."""
        if not self.fits(frame.size):
            self.refused = True
            return False
        self.append(frame)
        return True

    def append(self, frame: Frame) -> None:
        """Adds a frame in any case. The caller has seen that it `fits`, and has added nothing since but the answer before it."""
        self._frames.append(frame)
        self._size += frame.size
        if self.sleeps:
            self.sleeps = False
            self._wake()

    def reply(self, text: str) -> None:
        """Adds a frame that cannot be read again. Sets `overflowed` when a client keeps sending commands without reading; the
        caller closes it.
        """
        size = size_of(text)
        if self._size + size > self._limit + REPLY_BYTES and self._frames:
            self.overflowed = True
            return
        self.append(Frame(text=text, size=size))

    def take(self) -> str | None:
        """Removes and returns the next text to send, or None."""
        if not self._frames:
            return None
        frame = self._frames.popleft()
        self._size -= frame.size
        return frame.text

    def drop(self, session: SessionId) -> None:
        """Drops the Events of the Session that were not sent yet: the client has lost the right to read them."""
        kept = [frame for frame in self._frames if frame.session != session]
        self._frames = deque(kept)
        self._size = sum(frame.size for frame in kept)

    def clear(self) -> None:
        """Drops everything, after the client has gone."""
        self._frames.clear()
        self._size = 0
