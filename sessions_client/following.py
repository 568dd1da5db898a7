"""A Session being followed: an async iterator of Pages that outlives every link."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Self

from sessions_client.errors import ClientError, Closed, Refused
from sessions_client.errors import Removed as RemovedError
from sessions_client.frames import Error, Events, Removed, Subscribed
from sessions_client.place import Page, Place

PAGES: Final = 1000  # not yet taken by the caller; above it frames are dropped, and asked for again later
AGAIN_S: Final = 1.0  # after a refusal that will pass, where the server does not say when


class Following:
    """`async for page in following`: each Page once, in order. Raises Refused, Removed, or Closed when it cannot go on.

    `cursor` and `epoch` are where to resume in another process: those of the last Page that was taken.
    """

    def __init__(self, place: Place, send: Callable[[str], bool], clock: Callable[[], float]) -> None:
        self.session = place.session
        self.cursor = place.cursor
        self.epoch = place.epoch
        self._place = place
        self._send = send
        self._clock = clock
        self._pages: deque[Page] = deque()
        self._awake = asyncio.Event()
        self._dropped = False
        self._again_at: float | None = None
        self._over: ClientError | None = None

    @property
    def head(self) -> int:
        """The newest seq that the server told of."""
        return self._place.head

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page:
        while not self._pages:
            if self._over is not None:
                if isinstance(self._over, Closed) and self._over.code == 1000:  # noqa: PLR2004  # we closed it ourselves
                    raise StopAsyncIteration
                raise self._over
            self._awake.clear()
            await self._awake.wait()
        page = self._pages.popleft()
        self.cursor, self.epoch = page.end, page.epoch
        if self._dropped and not self._pages:
            self._dropped = False
            self.subscribe()
        return page

    def subscribe(self) -> None:
        """On every new link, and whenever something was missed."""
        self._again_at = None
        if self._over is None and not self._dropped:
            self._send(self._place.subscribe(self._clock()))

    def tick(self) -> None:
        now = self._clock()
        if self._place.is_stuck(now) or (self._again_at is not None and now >= self._again_at):
            self.subscribe()

    def subscribed(self, frame: Subscribed) -> None:
        self._place.subscribed(frame, self._clock())

    def events(self, frame: Events) -> None:
        if self._over is not None:
            return
        if len(self._pages) >= PAGES:
            self._dropped = True
        if self._dropped:
            return
        page = self._place.take(frame, self._clock())
        if page is not None:
            self._pages.append(page)
            self._awake.set()
        elif self._place.is_stuck(self._clock()):
            self.subscribe()

    def saw(self, head: int) -> None:
        self._place.saw(head, self._clock())

    def error(self, frame: Error) -> None:
        """The answer to `subscribe` was no: for now, or for good."""
        if frame.retry:
            self._again_at = self._clock() + (AGAIN_S if frame.retry_after_ms is None else frame.retry_after_ms / 1000)
        else:
            self.end(Refused(frame.code, frame.message))

    def removed(self, frame: Removed) -> None:
        self.end(RemovedError(frame.reason))

    def end(self, error: ClientError) -> None:
        """Pages that came before are still given out."""
        if self._over is None:
            self._over = error
            self._awake.set()
