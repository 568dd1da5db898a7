"""A model of delivery: one log, processes with a Feed each, hints and reads on their way, and clients.

Nothing happens by itself: the test says what happens next, in any order.
"""

import json
from collections.abc import Callable
from typing import Final
from uuid import UUID

from sessions_core.machines.feed import Feed, Loss, Span, Subscription
from sessions_core.machines.recent_frames import FrameMemory
from sessions_core.machines.send_buffer import SendBuffer
from sessions_core.protocol.ids import SessionId

SESSION: Final = SessionId(UUID(int=1))
SEND_BUFFER_BYTES: Final = 400  # about two frames, so that it is often full
PAGE_EVENTS: Final = 4  # of one read
MEMORY_BYTES: Final = 8000  # six new frames and two of the history, so that old ones are forgotten


class Log:
    """Events by seq. `written` has every Event that there ever was, by epoch and seq."""

    def __init__(self) -> None:
        self.epoch = 1
        self.head = 0
        self.events: dict[int, str] = {}
        self.written: dict[tuple[int, int], str] = {}

    def append(self, count: int) -> Span:
        start = self.head
        for seq in range(start + 1, start + count + 1):
            self.events[seq] = self.written[self.epoch, seq] = f"{self.epoch}.{seq}"
        self.head += count
        return self._span(start, self.head)

    def compact(self, seq: int) -> None:
        self.events.pop(seq, None)

    def restore(self, head: int) -> None:
        """Restores an older state of the log, in a new epoch."""
        self.epoch += 1
        self.head = min(head, self.head)
        self.events = {seq: text for seq, text in self.events.items() if seq <= self.head}
        self.written.update({(self.epoch, seq): text for seq, text in self.events.items()})

    def read(self, after: int) -> tuple[Span, int]:
        above = sorted(seq for seq in self.events if seq > after)
        end = above[PAGE_EVENTS - 1] if len(above) > PAGE_EVENTS else max(self.head, after)
        return self._span(after, end), self.head

    def _span(self, start: int, end: int) -> Span:
        events = [{"seq": seq, "text": self.events[seq]} for seq in range(start + 1, end + 1) if seq in self.events]
        return Span(session=SESSION, epoch=self.epoch, start=start, end=end, body=json.dumps(events)[1:-1].encode())


class Client:
    """Applies frames by the range rule, and keeps its cursor when it reconnects."""

    def __init__(self) -> None:
        self.epoch = 0
        self.cursor = -1  # nothing was applied yet
        self.begin = 0
        self.applied: list[tuple[int, str]] = []
        self.subscription: Subscription | None = None
        self.process: Process | None = None

    def connect(self, process: "Process") -> None:
        self.disconnect()
        self.process = process
        feed = process.current_feed()
        if self.epoch == feed.epoch and self.cursor > feed.head:
            process.tail_check()
            feed = process.current_feed()
        if self.epoch == feed.epoch and 0 <= self.cursor <= feed.head:
            self._follow(self.cursor)
        else:
            self._start_anew()

    def disconnect(self) -> None:
        """Ends the connection; the frames in the send buffer are lost."""
        if self.process is not None and self.process.feed is not None and self.subscription is not None:
            self.process.feed.detach(self.subscription)
        self.process = self.subscription = None

    def take(self) -> None:
        """Applies the next frame. When none is left, a stalled Subscription goes on."""
        subscription, process = self.subscription, self.process
        if subscription is None or process is None:
            return
        if text := subscription.send_buffer.take():
            self._apply(json.loads(text))
        if not len(subscription.send_buffer) and subscription.send_buffer.refused:
            subscription.send_buffer.refused = False
            if subscription.stalled:
                process.current_feed().refill(subscription)

    def _start_anew(self) -> None:
        assert self.process is not None
        log = self.process.log
        if self.process.current_feed().epoch != log.epoch:
            old = self.subscription
            self.process.restart(log.epoch, log.head)
            if self.subscription is not old:
                return  # `_lost` has started it anew
        self.epoch, self.applied = log.epoch, []
        self.begin = self.cursor = max(0, log.head - 3)
        page, _ = log.read(self.cursor)
        self._apply(json.loads(page.frame(older=False)))
        self._follow(page.end)

    def _follow(self, cursor: int) -> None:
        assert self.process is not None
        send_buffer = SendBuffer(SEND_BUFFER_BYTES, lambda: None)
        self.subscription = Subscription(SESSION, send_buffer, cursor=cursor, lost=self._lost)
        self.process.current_feed().attach(self.subscription)

    def _lost(self, loss: Loss) -> None:
        assert loss == "restarted"
        self._start_anew()

    def _apply(self, frame: dict[str, object]) -> None:
        start, end, events = frame["from"], frame["to"], frame["events"]
        assert isinstance(start, int)
        assert isinstance(end, int)
        assert isinstance(events, list)
        assert frame["epoch"] == self.epoch, "a frame of another epoch"
        assert start <= self.cursor, f"a gap: at {self.cursor} came {start}"
        self.applied += [(event["seq"], event["text"]) for event in events if event["seq"] > self.cursor]
        self.cursor = max(self.cursor, end)


class Process:
    """One web process: its Feed, and the hints and the read that are on their way to it."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.memory = FrameMemory.of(MEMORY_BYTES)
        self.feed: Feed | None = None
        self.hints: list[Span] = []
        self.page: Callable[[], bool] | None = None
        self.position = (0, 0)

    def current_feed(self) -> Feed:
        if self.feed is None:
            self.feed = Feed(self.log.epoch, self.log.head, self.memory)
        return self.feed

    def restart(self, epoch: int, head: int) -> None:
        orphans = self.current_feed().end()
        self.feed, self.page = Feed(epoch, head, self.memory), None
        for orphan in orphans:
            orphan.lost("restarted")

    def receive(self, hint: Span, *, whole: bool) -> None:
        feed = self.current_feed()
        if whole:
            feed.offer(hint)
        else:
            feed.offer_head(hint.epoch, hint.end)

    def begin_read(self) -> bool:
        """Reads the log now; the page arrives when `end_read` is called."""
        feed = self.current_feed()
        if (after := feed.next_read()) is None:
            return False
        span, head = self.log.read(after)
        self.page = lambda: feed.read_done(span, head=head)
        self.position = (span.epoch, head)
        return True

    def end_read(self) -> None:
        if (page := self.page) is not None:
            self.page = None
            if not page():
                self.restart(*self.position)

    def lose_read(self) -> None:
        if self.page is not None:
            self.page = None
            self.current_feed().read_failed()

    def tail_check(self) -> None:
        feed = self.current_feed()
        if not feed.check(self.log.epoch, self.log.head, tail_before=feed.tail):
            self.restart(self.log.epoch, self.log.head)
