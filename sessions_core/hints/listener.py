"""HintListener: receives from the channel layer, notices when the connection is dead, and builds a new one.

Redis Pub/Sub raises nothing on a connection whose packets are dropped: it waits for ever. So a listener sends a heartbeat to
itself each second, and starts anew when two are missing. `group_add` returns before Redis has subscribed us; so joining a group
ends when a probe, sent to that group, has come back. Groups that are joined at the same moment share their round trips, because
thousands of Sessions may be followed at once, and the heartbeat waits behind them.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable
from itertools import count, islice
from typing import Any, Final
from uuid import uuid4

from sessions_core.hints import messages
from sessions_core.hints.messages import Layer, Message
from sessions_core.machines.sparse import Sparse
from sessions_core.protocol.ids import RunId

HEARTBEAT_S: Final = 1.0
MISSES: Final = 2  # heartbeats in a row that did not come back: the connection is dead
CALL_S: Final = 2.0  # for one call of the layer. Its calls share a lock, which a dead connection holds for ever
PROBE_S: Final = 1.0  # for a join; the tail check repairs what is missed after it
PROBE_AGAIN_S: Final = 0.1  # a probe that was sent before Redis had subscribed us is lost
RETRY_S: Final = 0.5
BATCH: Final = 100  # groups that are joined, left or probed in one round trip
IN_A_TURN: Final = 32  # messages received in one turn of the event loop; then others have theirs

logger = logging.getLogger(__name__)


class _ConnectionDeadError(Exception):
    """Our own heartbeats do not come back."""


class HintListener:
    """Calls `receive` with every message of the joined groups, and `reconnected` when messages may have been missed."""

    def __init__(self, receive: Callable[[Message], None], *, reconnected: Callable[[], None] = lambda: None) -> None:
        self._receive = receive
        self._reconnected = reconnected
        self._name = uuid4().hex  # a group of our own, for heartbeats
        self._wanted: set[str] = {self._name}
        self._joined: set[str] = set()  # the groups that the present layer has joined
        self._joining: dict[str, None] = {}  # those to join now, in order
        self._probes: dict[str, asyncio.Future[None]] = {}  # by group
        self._background: set[asyncio.Task[None]] = set()
        self._layer: Layer | None = None
        self._channel = ""
        self._missed = 0
        self._deaf = Sparse()
        self._unconfirmed = Sparse()

    async def run(self) -> None:
        """Stays connected until it is cancelled."""
        while True:
            try:
                await self._connect(messages.new_layer())
            except Exception as error:  # noqa: BLE001  # Redis is down, cut off or restarted: the remedy is the same
                if times := self._deaf.count(time.monotonic()):
                    logger.warning("The channel layer is deaf (%d times), joining anew: %r", times, error)
            await asyncio.sleep(RETRY_S)

    @property
    def up(self) -> bool:
        """Whether the last heartbeats came back."""
        return self._layer is not None and self._missed < MISSES

    def want(self, group: str) -> None:
        """Adds the group to those that every new connection joins, without waiting for it."""
        self._wanted.add(group)

    async def join(self, group: str) -> bool:
        """Joins the group and waits until our own probe has come back. False: not confirmed in PROBE_S, or not connected;
        the join is retried in the background.
        """
        self._wanted.add(group)
        if not self.up:
            return False
        returned = self._probes.get(group)
        if returned is None:
            returned = self._probes[group] = asyncio.get_running_loop().create_future()
            self._joining[group] = None
            if len(self._joining) == 1:
                self._spawn(self._join_all())
        try:
            async with asyncio.timeout(PROBE_S):
                await asyncio.shield(returned)
        except TimeoutError:  # the tail check repairs what is missed
            if times := self._unconfirmed.count(time.monotonic()):
                logger.warning("No probe came back from %d groups, going on without: %s", times, group)
            return False
        return True

    def leave(self, group: str) -> None:
        """Leaves the group, in the background."""
        self._wanted.discard(group)

    async def _connect(self, layer: Layer) -> None:
        """Joins all wanted groups and receives from them. Raises when the connection is dead."""
        receiver: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout(CALL_S):
                channel = await layer.new_channel()
            self._joined.clear()
            await self._reconcile(layer, channel)
            self._layer, self._channel, self._missed = layer, channel, 0
            receiver = asyncio.create_task(self._receive_all(layer, channel), name="hint listener")
            await self._send_heartbeats(layer, receiver)
        finally:
            self._layer = None
            self._spawn(_discard(layer, receiver))

    async def _reconcile(self, layer: Layer, channel: str) -> None:
        """Joins the groups that are wanted and not joined yet, and leaves those that are not wanted any more."""
        while missing := list(islice((group for group in self._wanted if group not in self._joined), BATCH)):
            await self._join(layer, channel, missing)
        while surplus := list(islice((group for group in self._joined if group not in self._wanted), BATCH)):
            self._joined.difference_update(surplus)
            async with asyncio.timeout(CALL_S):
                await messages.leave(layer, surplus, channel)
            await asyncio.sleep(0)

    async def _join(self, layer: Layer, channel: str, groups: list[str]) -> None:
        async with asyncio.timeout(CALL_S):
            await messages.join(layer, groups, channel)
        self._joined.update(groups)
        await asyncio.sleep(0)  # a call that need not wait for Redis would block the loop

    async def _join_all(self) -> None:
        """Joins the groups of `_joining`, and probes them."""
        while self._joining and self._layer is not None:
            layer, groups = self._layer, list(islice(self._joining, BATCH))
            try:
                await self._join(layer, self._channel, groups)
            except Exception as error:  # noqa: BLE001  # the next heartbeat tries it again
                logger.info("%d groups could not be joined: %r", len(groups), error)
            for group in groups:
                del self._joining[group]
            self._spawn(self._probe(layer, groups))
        for group in self._joining:  # the connection is dead: the next one joins them
            del self._probes[group]
        self._joining.clear()

    async def _receive_all(self, layer: Layer, channel: str) -> None:
        for number in count(1):
            message = await layer.receive(channel)
            match message["type"]:
                case "heartbeat":
                    self._missed = 0
                case "probe":
                    self._confirm(message["group"])
                case _:
                    self._pass_on(message)
            if number % IN_A_TURN == 0:
                await asyncio.sleep(0)  # `receive` does not wait while there are messages

    def _confirm(self, group: str) -> None:
        returned = self._probes.get(group)
        if returned is not None and not returned.done():
            returned.set_result(None)

    def _pass_on(self, message: Message) -> None:
        try:
            self._receive(message)
        except Exception:  # one bad message must not end the receiving
            logger.exception("A message of the channel layer could not be used.")

    async def _send_heartbeats(self, layer: Layer, receiver: asyncio.Task[None]) -> None:
        self._reconnected()
        while True:
            if self._missed >= MISSES:
                raise _ConnectionDeadError
            self._missed += 1
            async with asyncio.timeout(CALL_S):
                await layer.group_send(self._name, {"type": "heartbeat"})
            await self._reconcile(layer, self._channel)
            done, _ = await asyncio.wait([receiver], timeout=HEARTBEAT_S)
            if done:
                receiver.result()

    async def _probe(self, layer: Layer, groups: Iterable[str]) -> None:
        """Sends probes to the groups until each has brought one back, or PROBE_S have passed."""
        waiting = {group: self._probes[group] for group in groups}
        try:
            async with asyncio.timeout(PROBE_S):
                while missing := [group for group, returned in waiting.items() if not returned.done()]:
                    probes = [(group, {"type": "probe", "group": group}) for group in missing]
                    await messages.send(layer, probes)
                    await asyncio.wait([waiting[group] for group in missing], timeout=PROBE_AGAIN_S)
        except Exception as error:  # noqa: BLE001  # who waits for them goes on without
            logger.info("A probe was not sent, or did not come back: %r", error)
        finally:
            for group in waiting:
                del self._probes[group]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


async def _discard(layer: Layer, receiver: asyncio.Task[None] | None) -> None:
    """Closes the layer. Runs in the background, because each step may hang on a dead connection."""
    if receiver is not None:
        receiver.cancel()
        await asyncio.wait([receiver], timeout=CALL_S)
    try:
        async with asyncio.timeout(CALL_S):
            await layer.flush()
    except Exception as error:  # noqa: BLE001  # the connection is given up anyway
        logger.info("An old channel layer did not close cleanly: %r", error)


async def listen_to_people(*, cancelled: Callable[[set[RunId]], None], steered: Callable[[set[RunId]], None]) -> None:
    """Calls back with the ids of Runs that were stopped, and of those that somebody has written to, on the caller's event loop,
    until it is cancelled.
    """

    def receive(message: Message) -> None:
        match message["type"]:
            case "cancel":
                cancelled(messages.named_runs(message))
            case "steer":
                steered(messages.named_runs(message))
            case _:
                pass

    listener = HintListener(receive)
    listener.want(messages.WORKERS)
    await listener.run()
