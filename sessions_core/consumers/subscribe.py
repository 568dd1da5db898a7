"""Executes `subscribe`: a Connection follows a Session from its cursor, or from a cold start with the newest Messages."""

import asyncio
import logging
from typing import Final

from msgspec import Struct

from sessions_core import bridge, log
from sessions_core.hub import FollowedSession
from sessions_core.live.connection import Connection
from sessions_core.live.delivery import Delivery
from sessions_core.live.limits import SUBSCRIPTIONS
from sessions_core.machines.feed import Loss, Subscription
from sessions_core.protocol.errors import BadField, NotFound, RateLimited
from sessions_core.protocol.frames import Subscribe, Subscribed
from sessions_core.services import access
from sessions_core.services.access import Member

RETRY_S: Final = 1.0  # after a cold start that failed because the database is away
DELETED: Final = "This conversation was deleted."

logger = logging.getLogger(__name__)


async def subscribe(frame: Subscribe, connection: Connection, delivery: Delivery) -> None:
    """Answers `subscribed`, then keeps the Connection at the log's head. Raises NotFound, BadField, RateLimited."""
    if (frame.after is None) != (frame.epoch is None):
        raise BadField("A cursor is `after` together with `epoch`.")
    if frame.session not in connection.subscriptions and len(connection.subscriptions) >= SUBSCRIPTIONS:
        raise RateLimited(f"One connection follows {SUBSCRIPTIONS} conversations at most. Unsubscribe from one.")
    member = await bridge.run(access.member, frame.session, user=connection.caller.user)
    followed = await delivery.hub.follow(frame.session)
    subscriber = _Subscriber(frame, connection, delivery, member, followed)
    if frame.after is None or frame.epoch is None:
        await subscriber.start_cold(restart=False)
    elif await delivery.hub.reaches(followed, epoch=frame.epoch, cursor=frame.after):
        subscriber.resume(frame.after)
    else:
        await subscriber.start_cold(restart=True)


class _Subscriber(Struct):
    """Begins the Subscription of one Connection to one Session, and begins it again when the log was replaced."""

    frame: Subscribe
    connection: Connection
    delivery: Delivery
    member: Member
    followed: FollowedSession

    def resume(self, cursor: int) -> None:
        """Goes on at a cursor that the log has."""
        self._send_subscribed(restart=False)
        self._attach(cursor)

    async def start_cold(self, *, restart: bool) -> None:
        """Sends the first page of the newest Messages, once the send buffer has room, and goes on from its end. Raises
        NotFound.
        """
        while True:
            await self.connection.wait_for_room(log.PAGE_BYTES)  # nothing is read for a client that does not read
            opening = await self.delivery.hub.cold_start(self.followed, count=self.frame.last)
            await self.connection.wait_for_room(opening.frame.size)
            if self.followed.feed is None:
                raise NotFound
            if self.followed.feed.epoch == opening.epoch:
                break
        self._send_subscribed(restart=restart)
        if not self.connection.closing:
            self.connection.send_buffer.put(opening.frame)
            self._attach(opening.end)

    def _send_subscribed(self, *, restart: bool) -> None:
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
        self.delivery.subscribe(connection, self.followed, subscription)

    def _lost(self, loss: Loss) -> None:
        if loss == "deleted":
            self.delivery.remove(self.connection, self.frame.session, DELETED)
        else:
            self.delivery.spawn(self._restart(self.connection.subscriptions[self.frame.session]))

    async def _restart(self, lost: Subscription) -> None:
        """Starts cold, because the log was replaced and what the client has of it is void. Retries until that succeeds."""
        while not self.connection.closing and self.connection.subscriptions.get(lost.session) is lost:
            try:
                await self.start_cold(restart=True)
            except NotFound:
                self.delivery.remove(self.connection, lost.session, DELETED)
            except Exception as error:  # noqa: BLE001  # the database is away
                logger.warning("A restart of %s failed: %r", lost.session, error)
                await asyncio.sleep(RETRY_S)
