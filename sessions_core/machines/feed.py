"""Feed: decides what each reader of a Session is sent next, in one process.

It is given hints, pages of the log and heads, in any order. It puts frames into the send buffers of its Subscriptions, so that
each reader gets a prefix of the log, exactly once and in order (P2). It says which read of the log it needs next; there is one at
a time, however many Subscriptions wait for it.
"""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from sessions_core.machines.recent_frames import EventsFrame, FrameMemory, RecentFrames
from sessions_core.machines.send_buffer import Full, SendBuffer, size_of
from sessions_core.protocol.ids import SessionId


class Span(Struct, frozen=True):
    """The Events of the seqs (`start`, `end`] that the log still holds. `body` is the inside of their JSON array."""

    session: SessionId
    epoch: int
    start: int
    end: int
    body: bytes

    def frame(self, *, older: bool | None = None) -> str:
        """Returns the `events` frame, with `older` if it is given."""
        tail = "" if older is None else f',"older":{"true" if older else "false"}'
        return (
            f'{{"type":"events","session":"{self.session}","epoch":{self.epoch},"from":{self.start},"to":{self.end},'
            f'"events":[{self.body.decode()}]{tail}}}'
        )


Loss = Literal["restarted", "deleted"]


class Subscription:
    """One reader's place in one Session. `cursor` is the last seq that was put into its send buffer; `stalled`: that buffer was
    full. `lost` is called when the Session was deleted, or its log restarted in another epoch.
    """

    __slots__ = ("cursor", "lost", "send_buffer", "session", "stalled")

    def __init__(
        self, session: SessionId, send_buffer: SendBuffer, *, cursor: int, lost: Callable[[Loss], None] = lambda _: None
    ) -> None:
        self.session = session
        self.send_buffer = send_buffer
        self.cursor = cursor
        self.lost = lost
        self.stalled = False


class Feed:
    """The log of one Session in one epoch, as one process knows it. `head` is the newest seq it has heard of, `tail` the cursor
    of its live readers.

    A Subscription is live (at the tail: it gets each frame as it comes), waiting (for a read of the log), or stalled (its send
    buffer was full; `refill` is called when there is room).
    """

    def __init__(self, epoch: int, head: int, memory: FrameMemory) -> None:
        self.epoch = epoch
        self.tail = head
        self.head = head
        self._frames = RecentFrames(memory.newest)  # also those that came before their predecessor
        self._history = RecentFrames(memory.history)  # pages that were read for readers behind the tail
        self._subscriptions: set[Subscription] = set()
        self._live: dict[Subscription, None] = {}
        self._waiting: dict[Subscription, None] = {}
        self._in_doubt = False  # a hint was of another epoch
        self._reading_from: int | None = None  # while a read is under way
        self._head_before = 0  # `head` when that read began

    def __len__(self) -> int:
        return len(self._subscriptions)

    def end(self) -> tuple[Subscription, ...]:
        """Forgets its frames. Returns the Subscriptions that it has served."""
        self._frames.clear()
        self._history.clear()
        return tuple(self._subscriptions)

    def attach(self, subscription: Subscription) -> None:
        """Serves the Subscription from its cursor on, which must not be above the log's head."""
        self._subscriptions.add(subscription)
        self.head = max(self.head, subscription.cursor)
        self._catch_up(subscription)

    def detach(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)
        self._live.pop(subscription, None)
        self._waiting.pop(subscription, None)

    def refill(self, subscription: Subscription) -> None:
        """Goes on with a stalled Subscription."""
        subscription.stalled = False
        if subscription in self._subscriptions:
            self._catch_up(subscription)

    def offer(self, span: Span) -> None:
        """Takes a hint with its Events. Delivers them if they continue the tail, keeps them if they come early."""
        self.offer_head(span.epoch, span.end)
        if span.epoch != self.epoch or span.end <= max(self.tail, span.start):
            return
        if span.start == self.tail:
            self._append(span)
            self._serve_waiting()
        elif span.start > self.tail:
            self._keep(span)

    def offer_head(self, epoch: int, head: int) -> None:
        """Takes a hint without its Events. When it is of another epoch, the log is read to find out."""
        if epoch == self.epoch:
            self.head = max(self.head, head)
        else:
            self._in_doubt = True

    def check(self, epoch: int, head: int, *, tail_before: int) -> bool:
        """Takes the log's position, read when the tail was `tail_before`. Returns False if it has restarted or is shorter."""
        if epoch != self.epoch or head < tail_before:
            return False
        self.head = max(self.head, head)
        return True

    def next_read(self) -> int | None:
        """Returns the cursor to read the log from, or None if no read is needed or one is under way. The caller then calls
        `read_done` or `read_failed`.
        """
        if self._reading_from is not None:
            return None
        self._reading_from = self._cursor_to_read()
        self._head_before = self.head
        return self._reading_from

    def read_failed(self) -> None:
        self._reading_from = None

    def read_done(self, span: Span, *, head: int) -> bool:
        """Takes the page that was read. Returns False if the log has restarted or lost Events: then its readers start anew."""
        self._reading_from = None
        self._in_doubt = False
        if span.epoch != self.epoch or head < self._head_before:
            return False
        self.head = max(self.head, head)
        if span.start == self.tail < span.end:
            self._append(span)
        elif span.end > span.start:
            self._history.keep(span.start, _frame(span))
        self._serve_waiting()
        return True

    def _cursor_to_read(self) -> int | None:
        if self._in_doubt:
            return self.tail
        for subscription in self._waiting:
            return min(subscription.cursor, self.tail)
        return self.tail if self.head > self.tail and self._live else None

    def _catch_up(self, subscription: Subscription) -> None:
        self._waiting.pop(subscription, None)
        while (frame := self._find(subscription.cursor)) is not None:
            try:
                subscription.send_buffer.put(frame)
            except Full:
                subscription.stalled = True
                return
            subscription.cursor = frame.end
        if subscription.cursor > self.tail and not self._live:
            self._jump(subscription.cursor)
        if subscription.cursor == self.tail:
            self._live[subscription] = None
        else:
            self._waiting[subscription] = None

    def _jump(self, seq: int) -> None:
        """Moves the tail to a reader that is ahead of it. Nobody is live, so nobody misses the Events between."""
        self.tail = seq
        self._take_early()

    def _append(self, span: Span) -> None:
        self._deliver(self._keep(span))
        self._take_early()

    def _take_early(self) -> None:
        """Delivers frames that came early and continue the tail."""
        while (frame := self._frames.get(self.tail)) is not None:
            self._deliver(frame)

    def _deliver(self, frame: EventsFrame) -> None:
        self.tail = end = frame.end
        full: list[Subscription] = []
        for subscription in self._live:
            try:
                subscription.send_buffer.put(frame)
            except Full:
                full.append(subscription)
            else:
                subscription.cursor = end
        for subscription in full:
            del self._live[subscription]
            subscription.stalled = True

    def _serve_waiting(self) -> None:
        if self._waiting:
            for subscription in tuple(self._waiting):
                self._catch_up(subscription)

    def _find(self, cursor: int) -> EventsFrame | None:
        return self._frames.get(cursor) or self._history.get(cursor)

    def _keep(self, span: Span) -> EventsFrame:
        frame = _frame(span)
        self._frames.keep(span.start, frame)
        return frame


def _frame(span: Span) -> EventsFrame:
    text = span.frame()
    return EventsFrame(text=text, size=size_of(text), session=span.session, end=span.end)
