"""One followed Session as an async iterator, which outlives every WebSocket."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Self

from sessions_client.errors import ClientError, Closed, Refused
from sessions_client.errors import Removed as RemovedError
from sessions_client.frames import Error, Events, Removed, Subscribed
from sessions_client.range_rule import Batch, RangeRule

QUEUE_LIMIT: Final = (
    1000  # Batches that the caller has not taken; above it frames are dropped, and subscribed to again later
)
RETRY_AFTER_S: Final = 1.0  # after a temporary refusal without `retry_after_ms`


class EventStream:
    """`async for batch in stream` yields each Batch once, in order. Raises Refused, Removed or Closed when it cannot go on.

    `cursor` and `epoch` are those of the Batch that was taken last: give them to `Client.follow` to resume, also in another
    process.
    """

    def __init__(self, rule: RangeRule, send: Callable[[str], bool], clock: Callable[[], float]) -> None:
        self.session = rule.session
        self.cursor = rule.cursor
        self.epoch = rule.epoch
        self._rule = rule
        self._send = send
        self._clock = clock
        self._queue: deque[Batch] = deque()
        self._changed = asyncio.Event()
        self._overflowed = False  # frames are dropped until the queue is empty
        self._retry_at: float | None = None
        self._error: ClientError | None = None

    @property
    def head(self) -> int:
        """The newest seq that the server has named."""
        return self._rule.head

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        while not self._queue:
            if self._error is not None:
                if isinstance(self._error, Closed) and self._error.code == 1000:  # noqa: PLR2004  # we closed it ourselves
                    raise StopAsyncIteration
                raise self._error
            self._changed.clear()
            await self._changed.wait()
        batch = self._queue.popleft()
        self.cursor, self.epoch = batch.end, batch.epoch
        if self._overflowed and not self._queue:
            self._overflowed = False
            self.subscribe()
        return batch

    def subscribe(self) -> None:
        """Sends `subscribe`: on every new connection, and whenever Events are missing."""
        self._retry_at = None
        if self._error is None and not self._overflowed:
            self._send(self._rule.subscribe(self._clock()))

    def tick(self) -> None:
        """Subscribes again when it is due. To be called a few times a second."""
        now = self._clock()
        if self._rule.must_subscribe(now) or (self._retry_at is not None and now >= self._retry_at):
            self.subscribe()

    def subscribed(self, frame: Subscribed) -> None:
        self._rule.subscribed(frame, self._clock())

    def events(self, frame: Events) -> None:
        if self._error is not None:
            return
        if len(self._queue) >= QUEUE_LIMIT:
            self._overflowed = True
        if self._overflowed:
            return
        batch = self._rule.take(frame, self._clock())
        if batch is not None:
            self._queue.append(batch)
            self._changed.set()
        elif self._rule.must_subscribe(self._clock()):
            self.subscribe()

    def note_head(self, head: int) -> None:
        self._rule.note_head(head, self._clock())

    def refused(self, frame: Error) -> None:
        """Ends with Refused, or schedules another `subscribe` when the refusal is temporary."""
        if frame.retry:
            self._retry_at = self._clock() + (
                RETRY_AFTER_S if frame.retry_after_ms is None else frame.retry_after_ms / 1000
            )
        else:
            self.end(Refused(frame.code, frame.message))

    def removed(self, frame: Removed) -> None:
        self.end(RemovedError(frame.reason))

    def end(self, error: ClientError) -> None:
        """Raises `error` to the caller, once he has taken the Batches that came before it."""
        if self._error is None:
            self._error = error
            self._changed.set()
