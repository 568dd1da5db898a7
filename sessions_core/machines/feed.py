"""Plain machines of delivery: what a reader is owed, from (cursor, head) and what arrives. No I/O, no clock.

A Feed follows one Session for one process. It is told hints, pages of the log and heads, in any order, and puts frames into
the outboxes of its Subscriptions so that each of them sees a prefix of the log, exactly once and in order (P2). It says which
read of the log it needs; one at a time, whoever waits.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Literal

from msgspec import Struct

from sessions_core.machines.send_buffer import Frame, SendBuffer, size_of
from sessions_core.protocol.ids import SessionId

RING_FRAMES: Final = 512  # newest frames kept, so that a reconnecting herd is served from memory
RING_BYTES: Final = 1024 * 1024
EARLY: Final = 64  # hints kept that came before their predecessor; more than that is read from the log


class Span(Struct, frozen=True):
    """The Events of the seqs (`start`, `end`] that the log still holds, encoded: `body` is the inside of a JSON array."""

    session: SessionId
    epoch: int
    start: int
    end: int
    body: bytes

    def frame(self, *, older: bool | None = None) -> str:
        """The `events` frame; `older` is told on a cold start only."""
        tail = "" if older is None else f',"older":{"true" if older else "false"}'
        return (
            f'{{"type":"events","session":"{self.session}","epoch":{self.epoch},"from":{self.start},"to":{self.end},'
            f'"events":[{self.body.decode()}]{tail}}}'
        )


class Piece(Frame, frozen=True):
    """An `events` frame, encoded once for all who get it."""

    end: int = 0


Loss = Literal["restarted", "deleted"]


class Subscription:
    """One Connection's place in one Session: `cursor` is the last seq that was put into its outbox; `lost` is called when
    the log that it follows has become another one, or is gone.
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
    """One life of a Session's log as one process knows it: `tail` is how far its live readers are, `head` the newest seq it
    heard of.

    A Subscription is live (at the tail: gets each frame as it comes), waiting (for the log), or stalled (its outbox was
    full; `drained` is called when it is not).
    """

    def __init__(self, epoch: int, head: int) -> None:
        self.epoch = epoch
        self.tail = head
        self.head = head
        self._pieces: OrderedDict[int, Piece] = OrderedDict()  # by the cursor that each continues
        self._bytes = 0
        self._early: dict[int, Span] = {}
        self._all: set[Subscription] = set()
        self._live: dict[Subscription, None] = {}
        self._waiting: dict[Subscription, None] = {}
        self._doubtful = False
        self._read_from: int | None = None  # while a read is under way
        self._head_then = 0  # what `head` was when it began

    def __len__(self) -> int:
        return len(self._all)

    @property
    def subscriptions(self) -> tuple[Subscription, ...]:
        return tuple(self._all)

    def attach(self, subscription: Subscription) -> None:
        """Begins to serve it from its cursor, which must not be above the log's head."""
        self._all.add(subscription)
        self.head = max(self.head, subscription.cursor)
        self._serve(subscription)

    def detach(self, subscription: Subscription) -> None:
        self._all.discard(subscription)
        self._live.pop(subscription, None)
        self._waiting.pop(subscription, None)

    def drained(self, subscription: Subscription) -> None:
        """Goes on with one that was stalled."""
        subscription.stalled = False
        if subscription in self._all:
            self._serve(subscription)

    def offer(self, span: Span) -> None:
        """A hint with its Events: delivered if it continues the tail, kept if it came early, else dropped."""
        self.told(span.epoch, span.end)
        if span.epoch != self.epoch or span.end <= self.tail:
            return
        if span.start == self.tail:
            self._extend(span)
            self._settle()
        elif span.start > self.tail and len(self._early) < EARLY:
            self._early[span.start] = span

    def told(self, epoch: int, head: int) -> None:
        """A hint without its Events. Of another epoch it is not believed: the log is asked."""
        if epoch == self.epoch:
            self.head = max(self.head, head)
        else:
            self._doubtful = True

    def check(self, epoch: int, head: int, *, tail_then: int) -> bool:
        """The log's position, asked for when the tail was `tail_then`. False: this is another log than we knew."""
        if epoch != self.epoch or head < tail_then:
            return False
        self.head = max(self.head, head)
        return True

    def next_read(self) -> int | None:
        """The cursor to read the log from now; None: nothing is needed, or a read is under way. `page` or `failed` follows."""
        if self._read_from is not None:
            return None
        self._read_from = self._wanted()
        self._head_then = self.head
        return self._read_from

    def failed(self) -> None:
        self._read_from = None

    def page(self, span: Span, *, head: int) -> bool:
        """What the read brought. False: this is another log than we knew, and its readers have to start cold."""
        self._read_from = None
        self._doubtful = False
        if span.epoch != self.epoch or head < self._head_then:
            return False
        self.head = max(self.head, head)
        if span.start == self.tail < span.end:
            self._extend(span)
        elif span.end > span.start:
            self._keep(span)
        self._settle()
        return True

    def _wanted(self) -> int | None:
        if self._doubtful:
            return self.tail
        for subscription in self._waiting:
            return min(subscription.cursor, self.tail)
        return self.tail if self.head > self.tail and self._live else None

    def _serve(self, subscription: Subscription) -> None:
        self._waiting.pop(subscription, None)
        while (piece := self._pieces.get(subscription.cursor)) is not None:
            if not subscription.send_buffer.put(piece):
                subscription.stalled = True
                return
            subscription.cursor = piece.end
        if subscription.cursor > self.tail and not self._live:
            self._jump(subscription.cursor)
        if subscription.cursor == self.tail:
            self._live[subscription] = None
        else:
            self._waiting[subscription] = None

    def _jump(self, seq: int) -> None:
        """Nobody is at the tail, so nobody misses what it skips."""
        self.tail = seq
        self._absorb()

    def _extend(self, span: Span) -> None:
        self._deliver(self._keep(span))
        self._absorb()

    def _absorb(self) -> None:
        """What came early may be next by now."""
        while (span := self._early.pop(self.tail, None)) is not None:
            self._deliver(self._keep(span))
        if self._early:
            self._early = {start: span for start, span in self._early.items() if start > self.tail}

    def _deliver(self, piece: Piece) -> None:
        self.tail = end = piece.end
        full = None
        for subscription in self._live:
            if subscription.send_buffer.put(piece):
                subscription.cursor = end
            else:
                full = [*(full or ()), subscription]
        for subscription in full or ():
            del self._live[subscription]
            subscription.stalled = True

    def _settle(self) -> None:
        if self._waiting:
            for subscription in tuple(self._waiting):
                self._serve(subscription)

    def _keep(self, span: Span) -> Piece:
        text = span.frame()
        piece = Piece(text=text, size=size_of(text), session=span.session, end=span.end)
        replaced = self._pieces.pop(span.start, None)
        self._pieces[span.start] = piece
        self._bytes += piece.size - (replaced.size if replaced else 0)
        while len(self._pieces) > RING_FRAMES or (self._bytes > RING_BYTES and len(self._pieces) > 1):
            self._bytes -= self._pieces.popitem(last=False)[1].size
        return piece
