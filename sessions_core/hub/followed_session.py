"""The state of one Session that this process follows."""

import asyncio
from typing import Final

from msgspec import Struct

from sessions_core.hints.messages import Message
from sessions_core.machines.feed import Feed, Span, Subscription
from sessions_core.machines.send_buffer import Frame
from sessions_core.protocol.ids import SessionId

EARLY: Final = 64  # hints kept while the log's position is still being read


class Opening(Struct, frozen=True):
    """The first page of a cold start: its frame, and the cursor that a reader has after it."""

    epoch: int
    end: int
    frame: Frame


class FollowedSession:
    """One Session that this process follows.

    `feed` is None until the log's position has been read, and again after the Session is gone. It is replaced when the epoch
    changes.
    """

    def __init__(self, session: SessionId) -> None:
        self.session = session
        self.name = str(session)
        self.feed: Feed | None = None
        self.starting: asyncio.Task[None] | None = None
        self.reading: asyncio.Task[None] | None = None
        self.openings: dict[int, asyncio.Task[Opening]] = {}  # cold starts being read, by their number of Messages
        self.empty_since: float | None = None  # the loop's time at which the last Subscription ended
        self._early: list[Span] = []

    def begin(self, epoch: int, head: int) -> tuple[Subscription, ...]:
        """Follows the log from that position. Returns the Subscriptions of the Feed that it replaces."""
        orphans = self.end()
        self.feed = Feed(epoch, head)
        for span in self._early:
            self.feed.offer(span)
        self._early.clear()
        return orphans

    def end(self) -> tuple[Subscription, ...]:
        """Removes the Feed. Returns its Subscriptions."""
        orphans = self.feed.subscriptions if self.feed else ()
        self.feed = None
        return orphans

    def take_hint(self, message: Message) -> None:
        """Passes a hint to the Feed, or keeps it until there is one."""
        epoch, end, body = message["epoch"], message["end"], message["body"]
        if body is not None:
            span = Span(session=self.session, epoch=epoch, start=message["start"], end=end, body=body)
            if self.feed is not None:
                self.feed.offer(span)
            elif len(self._early) < EARLY:
                self._early.append(span)
        elif self.feed is not None:
            self.feed.offer_head(epoch, end)
