"""Follows Sessions for this process: one group membership, one Feed and one read of the log at a time for each."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import islice
from typing import Any, Final, TypeVar

from django.conf import settings

from sessions_core import bridge, log
from sessions_core.hints import messages
from sessions_core.hints.listener import HintListener
from sessions_core.hints.messages import Message
from sessions_core.hub.followed_session import FollowedSession, Opening
from sessions_core.log import Position
from sessions_core.machines.feed import Feed, Subscription
from sessions_core.machines.recent_frames import FrameMemory
from sessions_core.machines.send_buffer import Frame, size_of
from sessions_core.machines.sparse import Sparse
from sessions_core.protocol.errors import NotFound
from sessions_core.protocol.ids import SessionId

TAIL_CHECK_S: Final = 2.0  # a query for the heads of IN_A_TURN followed Sessions each: repairs what lost hints left out
LINGER_S: Final = 30.0  # a Session without readers stays followed: those who reconnect are served from memory
IN_A_TURN: Final = 1_000  # Sessions compared, or dropped, in one turn of the event loop: a few milliseconds
RETRY_S: Final = 0.3  # after a read that failed
GONE: Final = "There is no such conversation."

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Hub:
    """Hands the Events of each followed Session to its Subscriptions.

    Messages of the groups that are no hints, those of access and presence, are passed to `on_message`.
    """

    def __init__(self, on_message: Callable[[Message], None]) -> None:
        self._on_message = on_message
        self._check = asyncio.Event()
        self._listener = HintListener(self._receive, reconnected=self._check.set)
        self._memory = FrameMemory.of(settings.RECENT_FRAMES_LIMIT)
        self._followed: dict[str, FollowedSession] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._failed_reads = Sparse()
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Starts to receive hints and to check tails, for as long as the loop runs."""
        self._listener.want(messages.WEB)
        _ = self._spawn(self._listener.run())
        _ = self._spawn(self._check_tails())

    async def follow(self, session: SessionId) -> FollowedSession:
        """Joins the Session's group and reads the log's position, unless it is followed already. Raises NotFound."""
        followed = self._followed.get(str(session))
        if followed is None:
            followed = self._followed[str(session)] = FollowedSession(session, self._memory)
            followed.starting = self._spawn(self._start(followed))
        if followed.starting is not None:
            await asyncio.shield(followed.starting)
        if followed.feed is None:
            raise NotFound(GONE)
        if followed.empty_since is not None:  # the caller needs a moment until it attaches
            followed.empty_since = self._loop.time()
        return followed

    async def reaches(self, followed: FollowedSession, *, epoch: int, cursor: int) -> bool:
        """True if the log has that position. Reads the log's head if the cursor is above the known one. Raises NotFound."""
        feed = followed.feed
        if feed is not None and feed.epoch == epoch and cursor > feed.head:
            tail = feed.tail
            positions = await bridge.run(log.heads, [followed.session])
            self._compare(followed, feed, tail, positions.get(followed.session))
        if followed.feed is None:
            raise NotFound(GONE)
        return followed.feed.epoch == epoch and cursor <= followed.feed.head

    async def cold_start(self, followed: FollowedSession, *, count: int) -> Opening:
        """Reads the first page of a cold start. Concurrent calls for the same share one read. Raises NotFound."""
        opening = followed.openings.get(count)
        if opening is None:
            opening = self._spawn(self._open(followed, count))
            followed.openings[count] = opening
            opening.add_done_callback(lambda _: followed.openings.pop(count, None))
        return await asyncio.shield(opening)

    async def _open(self, followed: FollowedSession, count: int) -> Opening:
        page = await bridge.run(log.cold_start, followed.session, messages=count)
        span = page.span
        if followed.feed is not None and span.epoch != followed.feed.epoch:
            self._restart(followed, span.epoch, page.head)
        text = span.frame(older=page.older)
        frame = Frame(text=text, size=size_of(text), session=followed.session)
        return Opening(epoch=span.epoch, end=span.end, frame=frame)

    def attach(self, followed: FollowedSession, subscription: Subscription) -> None:
        """Serves the Subscription from its cursor. The cursor must not be above the log's head."""
        followed.empty_since = None
        if followed.feed is not None:
            followed.feed.attach(subscription)
            self._read(followed)

    def detach(self, subscription: Subscription) -> None:
        followed = self._followed.get(str(subscription.session))
        if followed is not None and followed.feed is not None:
            followed.feed.detach(subscription)
            followed.empty_since = None if len(followed.feed) else self._loop.time()

    def refill(self, subscription: Subscription) -> None:
        """Goes on with a stalled Subscription, whose send buffer has room again."""
        followed = self._followed.get(str(subscription.session))
        if followed is not None and followed.feed is not None:
            followed.feed.refill(subscription)
            self._read(followed)

    def head(self, session: SessionId) -> int:
        """Returns the newest seq known of a followed Session, and 0 for others."""
        followed = self._followed.get(str(session))
        return followed.feed.head if followed is not None and followed.feed is not None else 0

    async def _start(self, followed: FollowedSession) -> None:
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
        followed.starting = None

    def _receive(self, message: Message) -> None:
        if message["type"] != "hint":
            self._on_message(message)
        elif (followed := self._followed.get(message["session"])) is not None:
            followed.take_hint(message)
            self._read(followed)

    def _read(self, followed: FollowedSession) -> None:
        """Starts the read that the Feed needs, if any. Does nothing while another one runs."""
        if followed.reading is None and followed.feed is not None and (after := followed.feed.next_read()) is not None:
            followed.reading = self._spawn(self._read_pages(followed, followed.feed, after))

    async def _read_pages(self, followed: FollowedSession, feed: Feed, after: int) -> None:
        """Reads pages until the Feed needs no more, or is replaced."""
        wanted: int | None = after
        while wanted is not None and feed is followed.feed:
            try:
                page = await bridge.run(log.read, followed.session, after=wanted)
            except NotFound:
                self._drop(followed)
            except Exception as error:  # noqa: BLE001  # the database is away: tried again
                if times := self._failed_reads.count(self._loop.time()):
                    logger.warning("%d reads of a log failed: %r", times, error)
                feed.read_failed()
                await asyncio.sleep(RETRY_S)
            else:
                if feed is followed.feed and not feed.read_done(page.span, head=page.head):
                    self._restart(followed, page.span.epoch, page.head)
            wanted = feed.next_read()
        followed.reading = None
        self._read(followed)

    def _restart(self, followed: FollowedSession, epoch: int, head: int) -> None:
        """Follows the log anew, which was restored or truncated: its readers start cold."""
        logger.warning("The log of %s was replaced: epoch %d, head %d", followed.session, epoch, head)
        for subscription in followed.begin(epoch, head):
            subscription.lost("restarted")

    def _drop(self, followed: FollowedSession) -> None:
        """Stops following a Session that was deleted or has no readers here."""
        if self._followed.get(followed.name) is followed:
            del self._followed[followed.name]
            self._listener.leave(messages.group(followed.session))
            for subscription in followed.end():
                subscription.lost("deleted")

    async def _check_tails(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(TAIL_CHECK_S):
                    await self._check.wait()
            self._check.clear()
            try:
                await self._compare_all()
            except Exception as error:  # noqa: BLE001  # the next check repairs it
                logger.warning("The tail check failed: %r", error)

    async def _compare_all(self) -> None:
        self._drop_idle()
        everyone = list(self._followed.values())
        for first in range(0, len(everyone), IN_A_TURN):
            some = everyone[first : first + IN_A_TURN]
            known = [(followed, feed, feed.tail) for followed in some if (feed := followed.feed)]
            positions = await bridge.run_reserved(log.heads, [followed.session for followed, _, _ in known])
            for followed, feed, tail in known:
                self._compare(followed, feed, tail, positions.get(followed.session))

    def _compare(self, followed: FollowedSession, feed: Feed, tail_before: int, position: Position | None) -> None:
        """Compares with the log's position in the database, which was read after the Feed's tail was `tail_before`."""
        if followed.feed is not feed:
            return
        if position is None:
            self._drop(followed)
        elif not feed.check(position.epoch, position.head, tail_before=tail_before):
            self._restart(followed, position.epoch, position.head)
        else:
            self._read(followed)

    def _drop_idle(self) -> None:
        """Stops following Sessions that have had no readers for LINGER_S."""
        limit = self._loop.time() - LINGER_S
        idle = (
            followed
            for followed in self._followed.values()
            if followed.feed is not None and followed.empty_since is not None and followed.empty_since < limit
        )
        for followed in list(islice(idle, IN_A_TURN)):  # the next check drops the others
            self._drop(followed)

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
