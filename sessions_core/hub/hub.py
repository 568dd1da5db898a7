"""Which Sessions this process follows: one membership, one Feed and one read of the log at a time for each of them."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

from sessions_core import bridge, log
from sessions_core.hints import messages
from sessions_core.hints.listener import HintListener
from sessions_core.hints.messages import Message
from sessions_core.hub.followed_session import Followed, Opening
from sessions_core.log import Position
from sessions_core.machines.feed import Feed, Subscription
from sessions_core.machines.send_buffer import Frame, size_of
from sessions_core.protocol.errors import NotFound
from sessions_core.protocol.ids import SessionId

TAIL_CHECK_S: Final = 2.0  # one query for the heads of all followed Sessions: what hints lost is repaired by then
LINGER_S: Final = 30.0  # a Session nobody follows is kept warm for those who were cut off and come back
RETRY_S: Final = 0.3  # after a read that failed
GONE: Final = "There is no such conversation."

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Hub:
    """Fan-out of one process. `hear` gets the messages that are no hints: of access, and of presence."""

    def __init__(self, hear: Callable[[Message], None]) -> None:
        self._others = hear
        self._listener = HintListener(self._hear, reconnected=self._check_now)
        self._followed: dict[str, Followed] = {}
        self._check = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Listens and checks, for as long as the loop runs."""
        self._listener.want(messages.WEB)
        _ = self._spawn(self._listener.run())
        _ = self._spawn(self._checks())

    def tell(self, session: SessionId, message: Message) -> None:
        """Sends something of no lasting worth to all processes that follow the Session."""
        self._listener.send(messages.group(session), message)

    async def follow(self, session: SessionId) -> Followed:
        """The Session, followed: it is joined, and known where its log stands. Raises NotFound."""
        followed = self._followed.get(str(session))
        if followed is None:
            followed = self._followed[str(session)] = Followed(session)
            followed.beginning = self._spawn(self._begin(followed))
        if followed.beginning is not None:
            await asyncio.shield(followed.beginning)
        if followed.feed is None:
            raise NotFound(GONE)
        if followed.empty_since is not None:  # whoever asks needs a moment until they attach
            followed.empty_since = self._loop.time()
        return followed

    async def reaches(self, followed: Followed, *, epoch: int, cursor: int) -> bool:
        """Whether the log has that cursor; asks it when that is further than was heard of. Raises NotFound."""
        feed = followed.feed
        if feed is not None and feed.epoch == epoch and cursor > feed.head:
            tail = feed.tail
            positions = await bridge.run(log.heads, [followed.session])
            self._compare(followed, feed, tail, positions.get(followed.session))
        if followed.feed is None:
            raise NotFound(GONE)
        return followed.feed.epoch == epoch and cursor <= followed.feed.head

    async def open_last(self, followed: Followed, *, messages: int) -> Opening:
        """A cold start's page; those who ask for the same at the same time share it. Raises NotFound."""
        opening = followed.openings.get(messages)
        if opening is None:
            opening = self._spawn(self._open(followed, messages))
            followed.openings[messages] = opening
            opening.add_done_callback(lambda _: followed.openings.pop(messages, None))
        return await asyncio.shield(opening)

    async def _open(self, followed: Followed, messages: int) -> Opening:
        page = await bridge.run(log.open_last, followed.session, messages=messages)
        span = page.span
        if followed.feed is not None and span.epoch != followed.feed.epoch:
            self._restart(followed, span.epoch, page.head)
        text = span.frame(older=page.older)
        frame = Frame(text=text, size=size_of(text), session=followed.session)
        return Opening(epoch=span.epoch, end=span.end, frame=frame)

    def attach(self, followed: Followed, subscription: Subscription) -> None:
        """Serves the Subscription from its cursor on, which must not be above the log's head."""
        followed.empty_since = None
        if followed.feed is not None:
            followed.feed.attach(subscription)
            self._read(followed)

    def detach(self, subscription: Subscription) -> None:
        followed = self._followed.get(str(subscription.session))
        if followed is not None and followed.feed is not None:
            followed.feed.detach(subscription)
            followed.empty_since = None if len(followed.feed) else self._loop.time()

    def drained(self, subscription: Subscription) -> None:
        """Goes on with one whose outbox was full."""
        subscription.stalled = False
        followed = self._followed.get(str(subscription.session))
        if followed is not None and followed.feed is not None:
            followed.feed.drained(subscription)
            self._read(followed)

    def head(self, session: SessionId) -> int:
        """The newest seq heard of in a Session that is followed; 0 for others."""
        followed = self._followed.get(str(session))
        return followed.feed.head if followed is not None and followed.feed is not None else 0

    async def _begin(self, followed: Followed) -> None:
        try:
            await self._listener.join(messages.group(followed.session))
            position = (await bridge.run(log.heads, [followed.session])).get(followed.session)
        except BaseException:
            self._drop(followed)
            raise
        if position is None:
            self._drop(followed)
            return
        followed.empty_since = self._loop.time()
        followed.begin(position.epoch, position.head)
        followed.beginning = None

    def _hear(self, message: Message) -> None:
        if message["type"] != "hint":
            self._others(message)
        elif (followed := self._followed.get(message["session"])) is not None:
            followed.hint(message)
            self._read(followed)

    def _check_now(self) -> None:
        self._check.set()

    def _read(self, followed: Followed) -> None:
        """Starts the read that the Feed needs, unless one is under way."""
        if followed.reading is None and followed.feed is not None and (after := followed.feed.next_read()) is not None:
            followed.reading = self._spawn(self._reads(followed, followed.feed, after))

    async def _reads(self, followed: Followed, feed: Feed, after: int) -> None:
        """Reads until the Feed needs nothing more, or has been replaced."""
        wanted: int | None = after
        while wanted is not None and feed is followed.feed:
            try:
                page = await bridge.run(log.read, followed.session, after=wanted)
            except NotFound:
                self._drop(followed)
            except Exception as error:  # noqa: BLE001  # the database is away: the readers wait, the reads go on
                logger.warning("A read of the log failed: %r", error)
                feed.failed()
                await asyncio.sleep(RETRY_S)
            else:
                if feed is followed.feed and not feed.page(page.span, head=page.head):
                    self._restart(followed, page.span.epoch, page.head)
            wanted = feed.next_read()
        followed.reading = None
        self._read(followed)

    def _restart(self, followed: Followed, epoch: int, head: int) -> None:
        logger.warning("The log of %s is another one now: epoch %d, head %d", followed.session, epoch, head)
        for subscription in followed.begin(epoch, head):
            subscription.lost("restarted")

    def _drop(self, followed: Followed) -> None:
        """Follows it no more: the Session is gone, or nobody here wants it."""
        if self._followed.get(followed.name) is followed:
            del self._followed[followed.name]
            _ = self._spawn(self._leave(followed))
            for subscription in followed.end():
                subscription.lost("deleted")

    async def _leave(self, followed: Followed) -> None:
        await self._listener.leave(messages.group(followed.session))
        if followed.name in self._followed:  # somebody came while we left
            await self._listener.join(messages.group(followed.session))

    async def _checks(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(TAIL_CHECK_S):
                    await self._check.wait()
            self._check.clear()
            try:
                await self._tail_check()
            except Exception as error:  # noqa: BLE001  # the next one will do
                logger.warning("The tail check failed: %r", error)

    async def _tail_check(self) -> None:
        self._forget_idle()
        known = [(followed, feed, feed.tail) for followed in self._followed.values() if (feed := followed.feed)]
        if not known:
            return
        positions = await bridge.run(log.heads, [followed.session for followed, _, _ in known])
        for followed, feed, tail in known:
            self._compare(followed, feed, tail, positions.get(followed.session))

    def _compare(self, followed: Followed, feed: Feed, tail_then: int, position: Position | None) -> None:
        if followed.feed is not feed:
            return
        if position is None:
            self._drop(followed)
        elif not feed.check(position.epoch, position.head, tail_then=tail_then):
            self._restart(followed, position.epoch, position.head)
        else:
            self._read(followed)

    def _forget_idle(self) -> None:
        past = self._loop.time() - LINGER_S
        for followed in tuple(self._followed.values()):
            if followed.feed is not None and followed.empty_since is not None and followed.empty_since < past:
                self._drop(followed)

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
