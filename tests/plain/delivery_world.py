"""A small world for the delivery machines: one log, processes with Feeds, hints and reads on their way, and clients.

Nothing here waits or runs by itself: a test says what happens next, in any order.
"""

import json
from collections.abc import Callable
from typing import Final
from uuid import UUID

from sessions_core.machines.feed import Feed, Loss, Span, Subscription
from sessions_core.machines.send_buffer import SendBuffer
from sessions_core.protocol.ids import SessionId

SESSION: Final = SessionId(UUID(int=1))
OUTBOX: Final = 400  # bytes: two frames or so, so that it is often full
PAGE: Final = 4  # events of one read


class Log:
    """Events by seq; `told` is every Event that ever was, by epoch and seq."""

    def __init__(self) -> None:
        self.epoch = 1
        self.head = 0
        self.events: dict[int, str] = {}
        self.told: dict[tuple[int, int], str] = {}

    def append(self, count: int) -> Span:
        start = self.head
        for seq in range(start + 1, start + count + 1):
            self.events[seq] = self.told[self.epoch, seq] = f"{self.epoch}.{seq}"
        self.head += count
        return self._span(start, self.head)

    def compact(self, seq: int) -> None:
        self.events.pop(seq, None)

    def restore(self, head: int) -> None:
        """An older state of the log comes back, as another one."""
        self.epoch += 1
        self.head = min(head, self.head)
        self.events = {seq: said for seq, said in self.events.items() if seq <= self.head}
        self.told.update({(self.epoch, seq): said for seq, said in self.events.items()})

    def read(self, after: int) -> tuple[Span, int]:
        above = sorted(seq for seq in self.events if seq > after)
        end = above[PAGE - 1] if len(above) > PAGE else max(self.head, after)
        return self._span(after, end), self.head

    def _span(self, start: int, end: int) -> Span:
        events = [{"seq": seq, "said": self.events[seq]} for seq in range(start + 1, end + 1) if seq in self.events]
        return Span(session=SESSION, epoch=self.epoch, start=start, end=end, body=json.dumps(events)[1:-1].encode())


class Client:
    """Keeps what it was sent by the range rule, and its cursor over reconnects."""

    def __init__(self) -> None:
        self.epoch = 0
        self.cursor = -1  # nothing yet: starts cold
        self.begin = 0
        self.applied: list[tuple[int, str]] = []
        self.subscription: Subscription | None = None
        self.process: Process | None = None

    def connect(self, process: "Process") -> None:
        self.disconnect()
        self.process = process
        feed = process.known()
        if self.epoch == feed.epoch and self.cursor > feed.head:
            process.tail_check()
            feed = process.known()
        if self.epoch == feed.epoch and 0 <= self.cursor <= feed.head:
            self._follow(self.cursor)
        else:
            self._start_cold()

    def disconnect(self) -> None:
        """What was in the outbox is lost."""
        if self.process is not None and self.process.feed is not None and self.subscription is not None:
            self.process.feed.detach(self.subscription)
        self.process = self.subscription = None

    def take(self) -> None:
        """One frame arrives; when none is left, a stalled Subscription goes on."""
        subscription, process = self.subscription, self.process
        if subscription is None or process is None:
            return
        if text := subscription.send_buffer.take():
            self._apply(json.loads(text))
        if not len(subscription.send_buffer) and subscription.send_buffer.refused:
            subscription.send_buffer.refused = False
            if subscription.stalled:
                process.known().refill(subscription)

    def _start_cold(self) -> None:
        assert self.process is not None
        log = self.process.log
        if self.process.known().epoch != log.epoch:
            before = self.subscription
            self.process.become(log.epoch, log.head)
            if self.subscription is not before:
                return  # that has begun anew
        self.epoch, self.applied = log.epoch, []
        self.begin = self.cursor = max(0, log.head - 3)
        page, _ = log.read(self.cursor)
        self._apply(json.loads(page.frame(older=False)))
        self._follow(page.end)

    def _follow(self, cursor: int) -> None:
        assert self.process is not None
        send_buffer = SendBuffer(OUTBOX, lambda: None)
        self.subscription = Subscription(SESSION, send_buffer, cursor=cursor, lost=self._lost)
        self.process.known().attach(self.subscription)

    def _lost(self, loss: Loss) -> None:
        assert loss == "restarted"
        self._start_cold()

    def _apply(self, frame: dict[str, object]) -> None:
        start, end, events = frame["from"], frame["to"], frame["events"]
        assert isinstance(start, int)
        assert isinstance(end, int)
        assert isinstance(events, list)
        assert frame["epoch"] == self.epoch, "a frame of another life of the log"
        assert start <= self.cursor, f"a gap: at {self.cursor} came {start}"
        self.applied += [(event["seq"], event["said"]) for event in events if event["seq"] > self.cursor]
        self.cursor = max(self.cursor, end)


class Process:
    """One web process: its Feed, and what is on its way to it."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.feed: Feed | None = None
        self.hints: list[Span] = []
        self.answer: Callable[[], bool] | None = None
        self.position = (0, 0)

    def known(self) -> Feed:
        if self.feed is None:
            self.feed = Feed(self.log.epoch, self.log.head)
        return self.feed

    def become(self, epoch: int, head: int) -> None:
        orphans = self.known().subscriptions
        self.feed, self.answer = Feed(epoch, head), None
        for orphan in orphans:
            orphan.lost("restarted")

    def hear(self, hint: Span, *, whole: bool) -> None:
        feed = self.known()
        if whole:
            feed.offer(hint)
        else:
            feed.offer_head(hint.epoch, hint.end)

    def begin_read(self) -> bool:
        """The log answers now; the answer arrives when `end_read` says so."""
        feed = self.known()
        if (after := feed.next_read()) is None:
            return False
        span, head = self.log.read(after)
        self.answer = lambda: feed.read_done(span, head=head)
        self.position = (span.epoch, head)
        return True

    def end_read(self) -> None:
        if (answer := self.answer) is not None:
            self.answer = None
            if not answer():
                self.become(*self.position)

    def lose_read(self) -> None:
        if self.answer is not None:
            self.answer = None
            self.known().read_failed()

    def tail_check(self) -> None:
        feed = self.known()
        if not feed.check(self.log.epoch, self.log.head, tail_before=feed.tail):
            self.become(self.log.epoch, self.log.head)
