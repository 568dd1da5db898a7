"""Sends hints from any thread, without waiting and without failing."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from sessions_core.hints import messages
from sessions_core.hints.messages import Layer, Message
from sessions_core.machines.feed import Span
from sessions_core.machines.sparse import Sparse
from sessions_core.protocol.ids import RunId, SessionId, UserId

PENDING: Final = 2_000  # hints that wait to be sent; the oldest are dropped, and readers find out by the tail check
BATCH: Final = 64  # hints in one round trip
SEND_S: Final = 2.0  # for one batch; a dead connection never answers

logger = logging.getLogger(__name__)


def publish(span: Span) -> None:
    """Tells every process that follows the Session that its log has grown. Call it after the commit. Never blocks or raises."""
    _sender.offer(messages.group(span.session), messages.hint(span))


def signal_cancel(runs: Sequence[RunId]) -> None:
    """Tells the workers to stop these Runs at once. If the hint is lost, the next heartbeat reads the flag in the database."""
    _sender.offer(messages.WORKERS, messages.cancel(runs))


def signal_steer(run: RunId) -> None:
    """Tells the worker of this Run that somebody has written to it. If the hint is lost, the next heartbeat sees the Steer."""
    _sender.offer(messages.WORKERS, messages.steer(run))


def signal_access(user: UserId, session: SessionId | None = None) -> None:
    """Makes every web process check again what the user may follow, and whether the user is still signed in."""
    _sender.offer(messages.WEB, messages.access(user, session))


def use_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Makes this process send on that running event loop, instead of on a thread of its own."""
    _sender.use_loop(loop)


class Outlet:
    """Sends on one event loop, by a channel layer of its own. One that is dead is replaced."""

    def __init__(self) -> None:
        self._layer: Layer | None = None
        self._lost = Sparse()

    async def send(self, batch: Sequence[tuple[str, Message]]) -> bool:
        """Sends the messages to their groups in one round trip. Returns False if they were lost, which is no error."""
        try:
            if self._layer is None:
                self._layer = messages.new_layer()
            async with asyncio.timeout(SEND_S):
                await messages.send(self._layer, batch)
        except Exception as error:  # noqa: BLE001  # a hint may be lost: the log has the Events
            self._layer = None
            self.lost(len(batch), error)
            return False
        return True

    def lost(self, number: int, error: Exception | None = None) -> None:
        """Counts messages that were lost. The log has one line for many."""
        if told := self._lost.count(time.monotonic(), number):
            logger.warning("The channel layer does not take hints; %d lost: %r", told, error)


class Sender:
    """A bounded queue, and a task on one event loop that sends from it."""

    def __init__(self) -> None:
        self._pending: deque[tuple[str, Message]] = deque(maxlen=PENDING)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._outlet = Outlet()
        self._task: asyncio.Task[None] | None = None
        self._awake = False

    def use_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            if loop is not self._loop:
                self._loop, self._outlet, self._awake = loop, Outlet(), False

    def offer(self, group: str, message: Message) -> None:
        self._pending.append((group, message))
        try:
            with self._lock:
                self._wake()
        except Exception:  # the caller has committed already and must not fail now
            logger.exception("A hint could not be scheduled.")

    def _wake(self) -> None:
        if self._loop is None or self._loop.is_closed():
            self._loop, self._outlet, self._awake = _thread_loop(), Outlet(), False
        if not self._awake:
            self._awake = True
            self._loop.call_soon_threadsafe(self._start)

    def _start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._pump(), name="hints")

    async def _pump(self) -> None:
        while True:
            with self._lock:
                if not self._pending:
                    self._awake = False
                    return
                batch = [self._pending.popleft() for _ in range(min(BATCH, len(self._pending)))]
            await self._send(batch)

    async def _send(self, batch: Sequence[tuple[str, Message]]) -> None:
        if not await self._outlet.send(batch):
            self._outlet.lost(len(self._pending))
            self._pending.clear()


def _thread_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="hints", daemon=True).start()
    return loop


_sender: Final = Sender()
