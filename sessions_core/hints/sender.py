"""Telling other processes, from any thread, without waiting for it and without ever failing."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Sequence
from typing import Final

from sessions_core.hints import messages
from sessions_core.hints.messages import Layer, Message
from sessions_core.machines.feed import Span
from sessions_core.protocol.ids import RunId, SessionId, UserId

PENDING: Final = 2_000  # hints not yet sent; beyond it the oldest are forgotten, and tail checks repair
TOGETHER: Final = 64  # sent in one round trip
SEND_S: Final = 2.0  # one send; a black-holed link never answers

logger = logging.getLogger(__name__)


def publish(span: Span) -> None:
    """Tells every process that follows the Session. Call it after the commit; it neither blocks nor raises."""
    _sender.offer(messages.group(span.session), messages.hint(span))


def signal_cancel(runs: Sequence[RunId]) -> None:
    """Tells the workers that these Runs are to stop. The flag in the database is the truth, this is the speed."""
    _sender.offer(messages.WORKERS, messages.cancel(runs))


def signal_access(user: UserId, session: SessionId | None = None) -> None:
    """Has every web process look again at what this user may still follow, and whether they are signed in."""
    _sender.offer(messages.WEB, messages.access(user, session))


def use_loop(loop: asyncio.AbstractEventLoop) -> None:
    """From now on this process sends on that running loop, rather than on a thread made for it."""
    _sender.use_loop(loop)


class Sender:
    """A bounded queue, and a task on one loop that empties it into a channel layer of its own."""

    def __init__(self) -> None:
        self._pending: deque[tuple[str, Message]] = deque(maxlen=PENDING)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._layer: Layer | None = None
        self._task: asyncio.Task[None] | None = None
        self._awake = False

    def use_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            if loop is not self._loop:
                self._loop, self._layer, self._awake = loop, None, False

    def offer(self, group: str, message: Message) -> None:
        self._pending.append((group, message))
        try:
            with self._lock:
                self._wake()
        except Exception:  # the act it tells of is committed; telling must not undo it
            logger.exception("A hint could not be scheduled.")

    def _wake(self) -> None:
        if self._loop is None or self._loop.is_closed():
            self._loop, self._layer, self._awake = _thread_loop(), None, False
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
                some = [self._pending.popleft() for _ in range(min(TOGETHER, len(self._pending)))]
            await self._send(some)

    async def _send(self, some: Sequence[tuple[str, Message]]) -> None:
        try:
            if self._layer is None:
                self._layer = messages.new_layer()
            async with asyncio.timeout(SEND_S):
                await messages.send(self._layer, some)
        except Exception as error:  # noqa: BLE001  # whatever it is, the log has the events
            lost = len(some) + len(self._pending)
            self._pending.clear()
            self._layer = None
            logger.warning("The channel layer does not take hints; %d lost: %r", lost, error)


def _thread_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="hints", daemon=True).start()
    return loop


_sender: Final = Sender()
