"""What is on its way to one socket: bounded in bytes, so that a reader who does not read costs a bounded amount (P11)."""

from collections import deque
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from sessions_core.protocol.ids import SessionId

REPLY_BYTES: Final = 64 * 1024  # bytes above the limit that answers may take: they cannot be read again from the log


def size_of(text: str) -> int:
    """Bytes of the text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


class Frame(Struct, frozen=True, gc=False):
    """The text of one WebSocket message, shared by all who get it, its size, and the Session whose log it is from."""

    text: str
    size: int
    session: SessionId | None = None


class SendBuffer:
    """Frames in order. One frame always fits into an empty outbox, however large it is.

    `wake` is called when frames come into a send buffer whose reader said that it `sleeps`. `refused`: something did not fit, and
    its Subscription waits to go on; whoever empties the outbox resets it.
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
        """Whether `put` would take so much now."""
        return self._size + size <= self._limit or not self._frames

    def put(self, frame: Frame) -> bool:
        """Takes what can be had again later; False when it is full."""
        size = self._size + frame.size
        if size > self._limit and self._frames:
            self.refused = True
            return False
        self._frames.append(frame)
        self._size = size
        if self.sleeps:
            self.sleeps = False
            self._wake()
        return True

    def reply(self, text: str) -> None:
        """Takes what cannot be had again.

        Sets `overflowed` when a client keeps sending commands without reading; the caller closes it.
        """
        size = size_of(text)
        if self._size + size > self._limit + REPLY_BYTES and self._frames:
            self.overflowed = True
            return
        self._frames.append(Frame(text=text, size=size))
        self._size += size
        if self.sleeps:
            self.sleeps = False
            self._wake()

    def take(self) -> str | None:
        """The next text to send."""
        if not self._frames:
            return None
        frame = self._frames.popleft()
        self._size -= frame.size
        return frame.text

    def drop(self, session: SessionId) -> None:
        """Drops what was not yet sent of a Session's log: its reader may not have it any more."""
        kept = [frame for frame in self._frames if frame.session != session]
        self._frames = deque(kept)
        self._size = sum(frame.size for frame in kept)

    def clear(self) -> None:
        """Drops everything: nobody reads any more."""
        self._frames.clear()
        self._size = 0
