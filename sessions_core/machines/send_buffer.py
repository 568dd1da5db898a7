"""SendBuffer: the frames that are still to be sent to one client. Bounded in bytes, so that a client that does not read costs a
bounded amount of memory (P11).
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from sessions_core.protocol.ids import SessionId

REPLY_BYTES: Final = 128 * 1024  # beside the limit, for replies: unlike Events, they cannot be read again from the log


def size_of(text: str) -> int:
    """Returns the size of the text in UTF-8, in bytes."""
    return len(text) if text.isascii() else len(text.encode())


class Full(Exception):  # noqa: N818  # as the standard library's queue.Full
    """The frame does not fit and was not added."""


class Frame(Struct, frozen=True, gc=False):
    """The text of one WebSocket message, shared by all who get it. `size` is in bytes; `session` is set for Events of a log."""

    text: str
    size: int
    session: SessionId | None = None


class _Reply(Frame, frozen=True, gc=False):
    """A frame for this client alone."""


class SendBuffer:
    """A queue of frames with a limit in bytes. Without another frame waiting, one of any size fits. Replies have a room of their
    own, so that they neither wait for Events nor take their place.

    What does not fit raises Full, so that no caller can go on as if it had been added. The sender sets `sleeps` when it has
    nothing to send; the next frame unsets it and calls `wake`. `put` sets `refused` when a frame does not fit; once the buffer is
    empty, the sender unsets it and lets the stalled Subscriptions go on.
    """

    __slots__ = ("_frames", "_limit", "_reply_size", "_size", "_wake", "refused", "sleeps")

    def __init__(self, limit: int, wake: Callable[[], None]) -> None:
        self._frames: deque[Frame] = deque()
        self._limit = limit
        self._size = 0  # without replies
        self._reply_size = 0
        self._wake = wake
        self.sleeps = False
        self.refused = False

    def __len__(self) -> int:
        return len(self._frames)

    def fits(self, size: int) -> bool:
        """Returns whether `put` would take a frame of that size."""
        return self._size + size <= self._limit or not self._size

    def put(self, frame: Frame) -> None:
        """Adds a frame that can be read again later. Raises Full, and sets `refused`, when it does not fit."""
        if not self.fits(frame.size):
            self.refused = True
            raise Full
        self._size += frame.size
        self._add(frame)

    def reply(self, text: str) -> None:
        """Adds a frame that cannot be read again. Raises Full when a client keeps sending commands without reading."""
        size = size_of(text)
        if self._reply_size + size > REPLY_BYTES and self._reply_size:
            raise Full
        self._reply_size += size
        self._add(_Reply(text=text, size=size))

    def take(self) -> str | None:
        """Removes and returns the next text to send, or None."""
        if not self._frames:
            return None
        frame = self._frames.popleft()
        if isinstance(frame, _Reply):
            self._reply_size -= frame.size
        else:
            self._size -= frame.size
        return frame.text

    def drop(self, session: SessionId) -> None:
        """Drops the Events of the Session that were not sent yet: the client has lost the right to read them."""
        self._size -= sum(frame.size for frame in self._frames if frame.session == session)
        self._frames = deque(frame for frame in self._frames if frame.session != session)

    def clear(self) -> None:
        """Drops everything, after the client has gone."""
        self._frames.clear()
        self._size = self._reply_size = 0

    def _add(self, frame: Frame) -> None:
        self._frames.append(frame)
        if self.sleeps:
            self.sleeps = False
            self._wake()
