"""The range rule (docs/reference/wire.md › The range rule) as a machine without I/O and without a clock of its own."""

from typing import Final

from msgspec import Struct

from sessions_client.frames import Event, Events, Subscribed, build

BEHIND_S: Final = 5.0  # the head is known to be above us and nothing comes: subscribe again
UNANSWERED_S: Final = 10.0  # `subscribe` without an answer: the same


class Page(Struct, frozen=True):
    """What one frame added: all Events of the seqs (`start`, `end`], neighbouring deltas maybe merged.

    `restarted`: forget what you had of this Session, this is its beginning; `older`: there are messages before it.
    """

    session: str
    epoch: int
    start: int
    end: int
    events: list[Event]
    restarted: bool = False
    older: bool = False


class Place:
    """One reader's place in one Session's log. Without a cursor it starts cold, with the `last` newest messages."""

    def __init__(self, session: str, *, last: int = 50, after: int | None = None, epoch: int | None = None) -> None:
        self.session = session
        self.cursor = after
        self.epoch = epoch
        self.head = after or 0
        self._last = last
        self._cold = after is None or epoch is None
        self._asked_at: float | None = None  # while `subscribed` is awaited
        self._behind_since: float | None = None

    def subscribe(self, now: float) -> str:
        """The frame to send on every new link, and whenever `take` or `is_stuck` say so."""
        self._asked_at = now
        self._behind_since = None
        if self._cold:
            return build("subscribe", session=self.session, last=self._last)
        return build("subscribe", session=self.session, after=self.cursor, epoch=self.epoch)

    def subscribed(self, frame: Subscribed, now: float) -> None:
        self._asked_at = None
        self._cold = self._cold or frame.restart
        self.head = frame.head
        self.saw(frame.head, now)

    def take(self, frame: Events, now: float) -> Page | None:
        """What the frame adds. None: nothing; if `is_stuck` is then true, it told that something was missed."""
        if self._asked_at is not None and (self._cold or self._is_ahead(frame)):
            return None  # sent before the server read our `subscribe`, whose answer brings it
        if self._cold:
            self.cursor = frame.start
            self.epoch = frame.epoch
            return self._apply(frame, now)
        if self._is_ahead(frame):
            self._behind_since = now - BEHIND_S
            return None
        if self.cursor is None or frame.end <= self.cursor:
            return None
        return self._apply(frame, now)

    def saw(self, head: int, now: float) -> None:
        """The server told its head."""
        self.head = max(self.head, head)
        if self._behind_since is None and self.cursor is not None and self.cursor < self.head:
            self._behind_since = now

    def is_stuck(self, now: float) -> bool:
        """Whether to subscribe again."""
        if self._asked_at is not None:
            return now - self._asked_at >= UNANSWERED_S
        return self._behind_since is not None and now - self._behind_since >= BEHIND_S

    def _is_ahead(self, frame: Events) -> bool:
        """The frame does not continue what we have: it comes after it, or is of another life of the log."""
        return frame.epoch != self.epoch or (self.cursor is not None and frame.start > self.cursor)

    def _apply(self, frame: Events, now: float) -> Page:
        start = self.cursor or 0
        restarted, self._cold = self._cold, False
        self.cursor = frame.end
        self._behind_since = None
        self.saw(frame.end, now)
        return Page(
            session=self.session,
            epoch=frame.epoch,
            start=start,
            end=frame.end,
            # A merged delta may reach back below the cursor; its offset tells a fold where it belongs.
            events=frame.events if frame.start == start else [event for event in frame.events if event.seq > start],
            restarted=restarted,
            older=frame.older,
        )
