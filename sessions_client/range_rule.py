"""The range rule (docs/reference/wire.md › The range rule) as a state machine without I/O and without a clock of its own."""

from typing import Final

from msgspec import Struct

from sessions_client.frames import Event, Events, Subscribed, build

BEHIND_S: Final = 5.0  # the head is above the cursor and no Event comes for so long: subscribe again
SUBSCRIBE_TIMEOUT_S: Final = 10.0  # no answer to `subscribe` for so long: subscribe again


class Batch(Struct, frozen=True):
    """The new Events of one frame: all of the seqs (`start`, `end`], in order. Neighbouring deltas may be merged into one.

    `restarted`: this is the Session's new beginning, so forget the Events before it. `older`: the log has messages before it.
    """

    session: str
    epoch: int
    start: int
    end: int
    events: list[Event]
    restarted: bool = False
    older: bool = False


class RangeRule:
    """One reader's cursor in one Session's log. Without `after` and `epoch` it starts cold, at the `last` newest messages.

    `now` is a monotonic time in seconds.
    """

    def __init__(self, session: str, *, last: int = 50, after: int | None = None, epoch: int | None = None) -> None:
        self.session = session
        self.cursor = after
        self.epoch = epoch
        self.head = after or 0
        self._last = last
        self._cold = after is None or epoch is None
        self._subscribed_at: float | None = None  # while `subscribe` is unanswered
        self._behind_since: float | None = None

    def subscribe(self, now: float) -> str:
        """Returns the `subscribe` frame, to be sent on every new connection and whenever `must_subscribe`."""
        self._subscribed_at = now
        self._behind_since = None
        if self._cold:
            return build("subscribe", session=self.session, last=self._last)
        return build("subscribe", session=self.session, after=self.cursor, epoch=self.epoch)

    def subscribed(self, frame: Subscribed, now: float) -> None:
        """Takes the server's answer to `subscribe`."""
        self._subscribed_at = None
        self._cold = self._cold or frame.restart
        self.head = frame.head
        self.note_head(frame.head, now)

    def take(self, frame: Events, now: float) -> Batch | None:
        """Moves the cursor and returns the frame's new Events, or None when it has none.

        After a frame that shows a gap, `must_subscribe` is true at once.
        """
        if self._subscribed_at is not None and (self._cold or self._is_ahead(frame)):
            return None  # sent before the server read our `subscribe`, whose answer brings these Events
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

    def note_head(self, head: int, now: float) -> None:
        """Takes the head that a frame of the server named."""
        self.head = max(self.head, head)
        if self._behind_since is None and self.cursor is not None and self.cursor < self.head:
            self._behind_since = now

    def must_subscribe(self, now: float) -> bool:
        """Returns whether Events are missing, or `subscribe` has had no answer, for too long."""
        if self._subscribed_at is not None:
            return now - self._subscribed_at >= SUBSCRIBE_TIMEOUT_S
        return self._behind_since is not None and now - self._behind_since >= BEHIND_S

    def _is_ahead(self, frame: Events) -> bool:
        """Returns whether the frame does not continue our log: it starts above the cursor, or is of another epoch."""
        return frame.epoch != self.epoch or (self.cursor is not None and frame.start > self.cursor)

    def _apply(self, frame: Events, now: float) -> Batch:
        start = self.cursor or 0
        restarted, self._cold = self._cold, False
        self.cursor = frame.end
        self._behind_since = None
        self.note_head(frame.end, now)
        return Batch(
            session=self.session,
            epoch=frame.epoch,
            start=start,
            end=frame.end,
            # A merged delta may begin below the cursor; a fold places it by its offset.
            events=frame.events if frame.start == start else [event for event in frame.events if event.seq > start],
            restarted=restarted,
            older=frame.older,
        )
