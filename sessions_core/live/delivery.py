"""All live Connections of this process, and what is done for all of them at once: hub, presence, sweeps, draining."""

import asyncio
import logging
import random
from collections.abc import Coroutine, Iterable
from typing import Any, Final

from sessions_core import bridge, hints
from sessions_core.hints import Message
from sessions_core.hub import Hub
from sessions_core.live import draining, recheck
from sessions_core.live.connection import Connection
from sessions_core.live.limits import Census
from sessions_core.live.presence import Gathering
from sessions_core.machines.feed import Subscription
from sessions_core.protocol.frames import CLOSE_NOT_SIGNED_IN, CLOSE_RESTART, Removed
from sessions_core.protocol.ids import SessionId

SWEEP_S: Final = 1.0
STANDING_S: Final = 1.0  # a right that was taken away ends within 2 s, also when the hint of it was lost
STANDING_AGAIN_S: Final = 0.1  # hints that come in a crowd are answered by one question
BATCH: Final = 100  # sockets closed at once while draining
BATCH_EVERY_S: Final = 0.2
SPREAD_PER_CONNECTION_MS: Final = 5  # 1,000 clients come back within 5 s, not at once
SPREAD_AT_LEAST_MS: Final = 500
DRAIN_S: Final = 20.0

logger = logging.getLogger(__name__)


class Delivery:
    """One per process and event loop."""

    def __init__(self) -> None:
        self._census = Census()
        self.hub = Hub(self._hear)
        self.gathering = Gathering(self.hub.tell)
        self._draining = False
        self._spread_ms = SPREAD_AT_LEAST_MS
        self._loop = asyncio.get_running_loop()
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ask = asyncio.Event()
        self._empty = asyncio.Event()

    def start(self) -> None:
        hints.use_loop(self._loop)
        self.hub.start()
        for work in (self._sweeps(), self._standings(), self.gathering.run()):
            self.spawn(work)

    async def serve(self, connection: Connection) -> None:
        """Sends the frames of the Connection until it ends. Closes it at once if there are too many, or while draining."""
        caller, address = connection.caller, connection.address
        refusal = self._census.admit(caller.user, address)
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
                self._census.leave(caller.user, address)
            self._connections.discard(connection)
            if self._draining and not self._connections:
                self._empty.set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs it beside the rest, and keeps it from being forgotten."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def drained(self, subscription: Subscription) -> None:
        self.hub.drained(subscription)

    def head(self, session: SessionId) -> int:
        return self.hub.head(session)

    def left(self, connection: Connection, subscription: Subscription) -> None:
        """A Subscription has ended, for whatever reason."""
        self.hub.detach(subscription)
        if connection.device is not None:
            user, session = connection.caller.user, subscription.session
            self.gathering.leave(session, connection.send_buffer, user, connection.device)

    def take_away(self, connection: Connection, session: SessionId, reason: str) -> None:
        """Ends a Subscription from our side; what was not sent yet is not sent any more."""
        if connection.leave(session) is not None:
            connection.send_buffer.drop(session)
            connection.reply(Removed(session=session, reason=reason))

    async def drain(self) -> None:
        """Sends everybody elsewhere, in batches and each to come back at a time of its own; returns when they are gone."""
        self._draining = True
        everybody = list(self._connections)
        self._spread_ms = max(SPREAD_AT_LEAST_MS, len(everybody) * SPREAD_PER_CONNECTION_MS)
        for first in range(0, len(everybody), BATCH):
            for connection in everybody[first : first + BATCH]:
                self._send_away(connection)
            await asyncio.sleep(BATCH_EVERY_S)
        if self._connections:
            await _within(self._empty.wait(), DRAIN_S)
        for connection in tuple(self._connections):
            connection.hang_up()

    def _send_away(self, connection: Connection) -> None:
        """Closes it, to be opened again elsewhere after a while of its own."""
        wait_ms = random.randint(0, self._spread_ms)  # noqa: S311  # not a secret
        connection.close(CLOSE_RESTART, "This server restarts.", retry_after_ms=wait_ms)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("A task of delivery failed.", exc_info=error)

    def _hear(self, message: Message) -> None:
        match message["type"]:
            case "access":
                self._ask.set()
            case "presence" | "presence_asked":
                self.gathering.hear(message)
            case _:
                pass  # of a newer version

    async def _sweeps(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            now = self._loop.time()
            for connection in tuple(self._connections):
                try:
                    connection.tick(now)
                except Exception:  # one Connection's fault must not end the heartbeats of all
                    logger.exception("A Connection could not be looked after.")

    async def _standings(self) -> None:
        while True:
            await asyncio.sleep(STANDING_AGAIN_S)
            await _within(self._ask.wait(), STANDING_S)
            self._ask.clear()
            try:
                await self._stand()
            except Exception as error:  # noqa: BLE001  # without the database nothing new can be seen either
                logger.warning("Could not ask who may still be here: %r", error)

    async def _stand(self) -> None:
        everybody = [connection for connection in self._connections if not connection.closing]
        if not everybody:
            return
        callers = {connection.caller for connection in everybody}
        places = {(session, one.caller.user) for one in everybody for session in one.subscriptions}
        answer = await bridge.run(recheck.ask, callers, places)
        for connection in everybody:
            if connection.caller in answer.expired:
                connection.send_buffer.clear()
                connection.close(CLOSE_NOT_SIGNED_IN, "You are signed out.")
            else:
                self._remove(connection, answer.removed)

    def _remove(self, connection: Connection, removed: Iterable[recheck.Place]) -> None:
        for session, user in removed:
            if user == connection.caller.user:
                self.take_away(connection, session, "This conversation is not open to you any more.")


_deliveries: Final[dict[asyncio.AbstractEventLoop, Delivery]] = {}  # one in a server; tests have many loops


def current_delivery() -> Delivery:
    """This process's Delivery on the running loop, started when it is first asked for."""
    loop = asyncio.get_running_loop()
    delivery = _deliveries.get(loop)
    if delivery is None:
        for closed in [other for other in _deliveries if other.is_closed()]:
            del _deliveries[closed]
        delivery = _deliveries[loop] = Delivery()
        delivery.start()
    return delivery


async def drain() -> None:
    """Takes this process out of service and empties it of its sockets. Call it on SIGTERM, on the server's loop."""
    draining.begin()
    if (delivery := _deliveries.get(asyncio.get_running_loop())) is not None:
        await delivery.drain()


async def _within(work: Coroutine[Any, Any, object], seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        pass
