"""One Session that a process follows."""

import asyncio
from typing import Final

from msgspec import Struct

from sessions_core.hints.messages import Message
from sessions_core.machines.feed import Feed, Span, Subscription
from sessions_core.machines.send_buffer import Frame
from sessions_core.protocol.ids import SessionId

EARLY: Final = 64  # hints kept that arrive before it is known where the log stands


class Opening(Struct, frozen=True):
    """The first frame of a cold start, and the cursor that it leads to."""

    epoch: int
    end: int
    frame: Frame


class Followed:
    """One Session that this process follows. `feed` is None until it is known where the log stands, and replaced when the
    log becomes another one.
    """

    def __init__(self, session: SessionId) -> None:
        self.session = session
        self.name = str(session)
        self.feed: Feed | None = None
        self.beginning: asyncio.Task[None] | None = None
        self.reading: asyncio.Task[None] | None = None
        self.openings: dict[int, asyncio.Task[Opening]] = {}
        self.empty_since: float | None = None
        self._early: list[Span] = []

    def begin(self, epoch: int, head: int) -> tuple[Subscription, ...]:
        """Follows the log anew from there; returns those who followed what it was before."""
        orphans = self.end()
        self.feed = Feed(epoch, head)
        for span in self._early:
            self.feed.offer(span)
        self._early.clear()
        return orphans

    def end(self) -> tuple[Subscription, ...]:
        """Forgets the log; returns those who followed it."""
        orphans = self.feed.subscriptions if self.feed else ()
        self.feed = None
        return orphans

    def hint(self, message: Message) -> None:
        epoch, end, body = message["epoch"], message["end"], message["body"]
        if body is not None:
            span = Span(session=self.session, epoch=epoch, start=message["start"], end=end, body=body)
            if self.feed is not None:
                self.feed.offer(span)
            elif len(self._early) < EARLY:
                self._early.append(span)
        elif self.feed is not None:
            self.feed.told(epoch, end)
