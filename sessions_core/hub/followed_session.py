"""The state of one Session that this process follows."""

import asyncio

from msgspec import Struct

from sessions_core.hints.messages import Message
from sessions_core.machines.feed import Feed, Span, Subscription
from sessions_core.machines.recent_frames import FrameMemory
from sessions_core.machines.send_buffer import Frame
from sessions_core.protocol.ids import SessionId


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

    def __init__(self, session: SessionId, memory: FrameMemory) -> None:
        self.session = session
        self.name = str(session)
        self.feed: Feed | None = None
        self.starting: asyncio.Task[None] | None = None
        self.reading: asyncio.Task[None] | None = None
        self.openings: dict[int, asyncio.Task[Opening]] = {}  # cold starts being read, by their number of Messages
        self.empty_since: float | None = None  # the loop's time at which the last Subscription ended
        self._memory = memory
        self._hinted: tuple[int, int] | None = None  # epoch and head of a hint that came before the position was read

    def begin(self, epoch: int, head: int) -> tuple[Subscription, ...]:
        """Follows the log from that position. Returns the Subscriptions of the Feed that it replaces."""
        orphans = self.end()
        self.feed = Feed(epoch, head, self._memory)
        if self._hinted is not None:
            self.feed.offer_head(*self._hinted)
            self._hinted = None
        return orphans

    def end(self) -> tuple[Subscription, ...]:
        """Removes the Feed. Returns its Subscriptions."""
        orphans = self.feed.end() if self.feed else ()
        self.feed = None
        return orphans

    def take_hint(self, message: Message) -> None:
        """Passes a hint to the Feed. While there is none, remembers how far the log has grown, so that it is read from there."""
        epoch, end, body = message["epoch"], message["end"], message["body"]
        if self.feed is None:
            self._hinted = (epoch, end)
        elif body is None:
            self.feed.offer_head(epoch, end)
        else:
            self.feed.offer(Span(session=self.session, epoch=epoch, start=message["start"], end=end, body=body))
