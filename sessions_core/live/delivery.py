"""All live Connections of this process, and what is done for all of them at once: sweeps, rechecks of rights, draining."""

import asyncio
import logging
import random
from collections.abc import Coroutine
from typing import Any, Final

from django.conf import settings

from sessions_core import bridge, hints
from sessions_core.hints import Message
from sessions_core.hub import FollowedSession, Hub
from sessions_core.live import draining, recheck
from sessions_core.live.connection import Connection
from sessions_core.live.limits import ConnectionLimit
from sessions_core.live.presence import PresenceTracker
from sessions_core.live.recheck import Followers
from sessions_core.machines.feed import Subscription
from sessions_core.protocol.frames import CLOSE_NOT_SIGNED_IN, CLOSE_RESTART, Removed
from sessions_core.protocol.ids import SessionId

SWEEP_S: Final = 1.0
RECHECK_S: Final = 1.0  # a right that was taken away ends within 2 s, also if the hint of it was lost
RECHECK_PAUSE_S: Final = 0.1  # one recheck answers all hints that arrive within it
BATCH: Final = 100  # Connections closed at once while draining
BATCH_PAUSE_S: Final = 0.2
SPREAD_PER_CONNECTION_MS: Final = 5  # 1,000 clients come back within 5 s, not at once
SPREAD_AT_LEAST_MS: Final = 500
DRAIN_S: Final = 20.0

logger = logging.getLogger(__name__)


class Delivery:
    """The Connections of this process, with the hub and the presence that serve them. One for each event loop."""

    def __init__(self) -> None:
        self.hub = Hub(self._receive)
        self.presence = PresenceTracker(hints.Outlet().send)
        self._followers = Followers()
        # Those who open sockets may be strangers: they leave threads for those who have one.
        self.identifying = asyncio.Semaphore(max(1, settings.BRIDGE_THREADS // 2))
        self._limit = ConnectionLimit()
        self._connections: set[Connection] = set()
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._recheck_wanted = asyncio.Event()
        self._draining = False
        self._spread_ms = SPREAD_AT_LEAST_MS
        self._empty = asyncio.Event()

    def start(self) -> None:
        """Starts the background tasks, which run for as long as the loop does."""
        hints.use_loop(self._loop)
        self.hub.start()
        for work in (self._sweep(), self._recheck(), self.presence.run()):
            self.spawn(work)

    async def serve(self, connection: Connection) -> None:
        """Sends the frames of the Connection until it ends. Closes it at once if there are too many, or while draining."""
        caller, address = connection.caller, connection.address
        refusal = self._limit.admit(caller.user, address)
        try:
            if refusal is not None:
                connection.close(refusal, "Too many connections.")
            elif self._draining:
                self._send_away(connection)
            else:
                self._connections.add(connection)
            await connection.write()
        finally:
            if refusal is None:
                self._limit.release(caller.user, address)
            self._connections.discard(connection)
            if self._draining and not self._connections:
                self._empty.set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs it as a task of its own, and logs its error."""
        task = self._loop.create_task(work)
        self._tasks.add(task)  # asyncio itself holds tasks weakly
        task.add_done_callback(self._finished)

    def subscribe(self, connection: Connection, followed: FollowedSession, subscription: Subscription) -> None:
        """Lets the Connection, whose device is known, follow the Session from the cursor of the Subscription."""
        session, device = subscription.session, connection.device
        connection.subscriptions[session] = subscription
        self._followers.add(connection, session)
        if device is not None:
            self.presence.arrive(session, connection.send_buffer, connection.author, device, label=connection.label)
        self.hub.attach(followed, subscription)

    def refill(self, subscription: Subscription) -> None:
        self.hub.refill(subscription)

    def unsubscribed(self, connection: Connection, subscription: Subscription) -> None:
        self.hub.detach(subscription)
        self._followers.discard(connection, subscription.session)
        if connection.device is not None:
            user, session = connection.caller.user, subscription.session
            self.presence.leave(session, connection.send_buffer, user, connection.device)

    def head(self, session: SessionId) -> int:
        return self.hub.head(session)

    def remove(self, connection: Connection, session: SessionId, reason: str) -> None:
        """Ends a Subscription from the server's side. Events of it that are still in the send buffer are not sent."""
        if connection.leave(session) is not None:
            connection.send_buffer.drop(session)
            connection.reply(Removed(session=session, reason=reason))

    async def drain(self) -> None:
        """Closes all Connections in batches, each with its own time to come back. Returns when all have ended, or after
        DRAIN_S.
        """
        self._draining = True
        connections = list(self._connections)
        self._spread_ms = max(SPREAD_AT_LEAST_MS, len(connections) * SPREAD_PER_CONNECTION_MS)
        for first in range(0, len(connections), BATCH):
            for connection in connections[first : first + BATCH]:
                self._send_away(connection)
            await asyncio.sleep(BATCH_PAUSE_S)
        if self._connections:
            await _wait_at_most(DRAIN_S, self._empty)
        for connection in tuple(self._connections):
            connection.disconnect()

    def _send_away(self, connection: Connection) -> None:
        """Closes it, with a random time after which to connect again."""
        wait_ms = random.randint(0, self._spread_ms)  # noqa: S311  # not a secret
        connection.close(CLOSE_RESTART, "This server restarts.", retry_after_ms=wait_ms)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("A task of delivery failed.", exc_info=error)

    def _receive(self, message: Message) -> None:
        match message["type"]:
            case "access":
                self._recheck_wanted.set()
            case "presence":
                self.presence.receive(message)
            case _:
                pass  # of a newer version

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            now = self._loop.time()
            for connection in tuple(self._connections):
                try:
                    connection.tick(now)
                except Exception:  # a fault in one Connection must not end the heartbeats of all
                    logger.exception("The sweep of a Connection failed.")

    async def _recheck(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_PAUSE_S)
            await _wait_at_most(RECHECK_S, self._recheck_wanted)
            self._recheck_wanted.clear()
            try:
                await self._recheck_all()
            except Exception as error:  # noqa: BLE001  # without the database no new Event can be read either
                logger.warning("Rights could not be rechecked: %r", error)

    async def _recheck_all(self) -> None:
        connections = [connection for connection in self._connections if not connection.closing]
        if not connections:
            return
        callers = {connection.caller for connection in connections}
        lost = await bridge.run_reserved(recheck.find_lost, callers, self._followers.memberships())
        if lost.callers:
            for connection in connections:
                if connection.caller in lost.callers:
                    connection.send_buffer.clear()
                    connection.close(CLOSE_NOT_SIGNED_IN, "You are signed out.")
        for membership in lost.memberships:
            for connection in self._followers.of(membership):
                self.remove(connection, membership[0], "This conversation is not open to you any more.")


_deliveries: Final[dict[asyncio.AbstractEventLoop, Delivery]] = {}  # one in a server; tests have many loops


def current_delivery() -> Delivery:
    """Returns the Delivery of the running loop, and starts it at the first call."""
    loop = asyncio.get_running_loop()
    delivery = _deliveries.get(loop)
    if delivery is None:
        for closed in [other for other in _deliveries if other.is_closed()]:
            del _deliveries[closed]
        delivery = _deliveries[loop] = Delivery()
        delivery.start()
    return delivery


async def drain() -> None:
    """Marks this process as draining, and closes its Connections. Call it on SIGTERM, on the server's loop."""
    draining.begin()
    if (delivery := _deliveries.get(asyncio.get_running_loop())) is not None:
        await delivery.drain()


async def _wait_at_most(seconds: float, event: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
