"""Beginning to follow a Session: by resuming at a cursor, or cold with the newest Messages."""

import asyncio
import logging
from typing import Final

from msgspec import Struct

from sessions_core import bridge
from sessions_core.hub import Followed
from sessions_core.live.connection import Connection
from sessions_core.live.delivery import Delivery
from sessions_core.live.limits import SUBSCRIPTIONS
from sessions_core.machines.feed import Loss, Subscription
from sessions_core.protocol.errors import BadField, NotFound, RateLimited
from sessions_core.protocol.frames import Subscribe, Subscribed
from sessions_core.services import access
from sessions_core.services.access import Member

AGAIN_S: Final = 1.0  # after a restart that failed, because the database was away

logger = logging.getLogger(__name__)


async def subscribe(frame: Subscribe, connection: Connection, delivery: Delivery) -> None:
    """Answers `subscribed`, then keeps the Connection at the log's head. Raises NotFound, BadField, RateLimited."""
    if (frame.after is None) != (frame.epoch is None):
        raise BadField("A cursor is `after` together with `epoch`.")
    if frame.session not in connection.subscriptions and len(connection.subscriptions) >= SUBSCRIPTIONS:
        raise RateLimited(f"One connection follows {SUBSCRIPTIONS} conversations at most. Unsubscribe from one.")
    member = await bridge.run(access.member, frame.session, user=connection.caller.user)
    followed = await delivery.hub.follow(frame.session)
    entry = _Entry(frame, connection, delivery, member, followed)
    if frame.after is None or frame.epoch is None:
        await entry.open(restart=False)
    elif await delivery.hub.reaches(followed, epoch=frame.epoch, cursor=frame.after):
        entry.resume(frame.after)
    else:
        await entry.open(restart=True)


class _Entry(Struct):
    """One Connection's way into one Session."""

    frame: Subscribe
    connection: Connection
    delivery: Delivery
    member: Member
    followed: Followed

    def resume(self, cursor: int) -> None:
        """Goes on at a cursor that the log has."""
        self._say(restart=False)
        self._attach(cursor)

    async def open(self, *, restart: bool) -> None:
        """A cold start. Its page can be large, so it waits until there is room for it. Raises NotFound."""
        while True:
            opening = await self.delivery.hub.open_last(self.followed, messages=self.frame.last)
            await self.connection.room(opening.frame.size)
            if self.followed.feed is None:
                raise NotFound
            if self.followed.feed.epoch == opening.epoch:
                break
        self._say(restart=restart)
        self.connection.send_buffer.put(opening.frame)
        self._attach(opening.end)

    def _say(self, *, restart: bool) -> None:
        feed = self.followed.feed
        if feed is not None:
            frame = Subscribed(
                session=self.frame.session, epoch=feed.epoch, head=feed.head, role=self.member.role, restart=restart
            )
            self.connection.leave(self.frame.session)
            self.connection.reply(frame)

    def _attach(self, cursor: int) -> None:
        connection, session = self.connection, self.frame.session
        if connection.closing or connection.device is None:
            return
        subscription = Subscription(session, connection.send_buffer, cursor=cursor, lost=self._lost)
        connection.subscriptions[session] = subscription
        author = connection.author
        self.delivery.gathering.arrive(
            session, connection.send_buffer, author, connection.device, label=connection.label
        )
        self.delivery.hub.attach(self.followed, subscription)

    def _lost(self, loss: Loss) -> None:
        if loss == "deleted":
            self.delivery.take_away(self.connection, self.frame.session, "This conversation was deleted.")
        else:
            mine = self.connection.subscriptions[self.frame.session]
            self.delivery.spawn(self._begin_again(mine))

    async def _begin_again(self, mine: Subscription) -> None:
        """The log is another one now: what the client has of it is void."""
        while not self.connection.closing and self.connection.subscriptions.get(mine.session) is mine:
            try:
                await self.open(restart=True)
            except NotFound:
                self.delivery.take_away(self.connection, mine.session, "This conversation was deleted.")
            except Exception as error:  # noqa: BLE001  # the database is away
                logger.warning("A restart of %s failed: %r", mine.session, error)
                await asyncio.sleep(AGAIN_S)
