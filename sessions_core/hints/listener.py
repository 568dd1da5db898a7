"""HintListener: receives from the channel layer, notices when the connection is dead, and builds a new one.

Redis Pub/Sub raises nothing on a connection whose packets are dropped: it waits for ever. So a listener sends a heartbeat to
itself each second, and starts anew when two are missing. `group_add` returns before Redis has subscribed us; so joining a group
ends when a probe, sent to that group, has come back.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final
from uuid import uuid4

from sessions_core.hints import messages
from sessions_core.hints.messages import Layer, Message
from sessions_core.protocol.ids import RunId

HEARTBEAT_S: Final = 1.0
MISSES: Final = 2  # heartbeats in a row that did not come back: the connection is dead
CALL_S: Final = 2.0  # for one call of the layer. Its calls share a lock, which a dead connection holds for ever
PROBE_S: Final = 1.0  # for a join; the tail check repairs what is missed after it
PROBE_AGAIN_S: Final = 0.1  # a probe that was sent before Redis had subscribed us is lost
RETRY_S: Final = 0.5

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
        self._joined: set[str] = set()  # the wanted groups that the present layer has joined
        self._probes: dict[str, asyncio.Future[None]] = {}  # by nonce
        self._background: set[asyncio.Task[None]] = set()
        self._layer: Layer | None = None
        self._channel = ""
        self._missed = 0

    async def run(self) -> None:
        """Stays connected until it is cancelled."""
        while True:
            try:
                await self._connect(messages.new_layer())
            except Exception as error:  # noqa: BLE001  # Redis is down, cut off or restarted: the remedy is the same
                logger.warning("The channel layer is deaf, joining anew: %r", error)
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
        if self._layer is None or not self.up:
            return False
        try:
            async with asyncio.timeout(PROBE_S):
                await self._layer.group_add(group, self._channel)
                self._joined.add(group)
                await self._probe(self._layer, group)
        except Exception as error:  # noqa: BLE001  # the tail check repairs what is missed
            logger.warning("No probe came back for %s, going on without: %r", group, error)
            return False
        return True

    async def leave(self, group: str) -> None:
        self._wanted.discard(group)
        self._joined.discard(group)
        if self._layer is None:
            return
        try:
            async with asyncio.timeout(CALL_S):
                await self._layer.group_discard(group, self._channel)
        except Exception as error:  # noqa: BLE001  # messages that nobody here needs arrive until the next connection
            logger.warning("Could not leave %s: %r", group, error)

    def send(self, group: str, message: Message) -> None:
        """Sends to the group in the background. While there is no connection, the message is dropped."""
        if self._layer is not None:
            self._spawn(_send(self._layer, group, message))

    async def _connect(self, layer: Layer) -> None:
        """Joins all wanted groups and receives from them. Raises when the connection is dead."""
        receiver: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout(CALL_S):
                channel = await layer.new_channel()
            self._joined.clear()
            await self._join_missing(layer, channel)
            self._layer, self._channel, self._missed = layer, channel, 0
            receiver = asyncio.create_task(self._receive_all(layer, channel), name="hint listener")
            await self._send_heartbeats(layer, receiver)
        finally:
            self._layer = None
            self._spawn(_discard(layer, receiver))

    async def _join_missing(self, layer: Layer, channel: str) -> None:
        """Joins the groups that were added while the connection was being made, and those whose join took too long."""
        while missing := self._wanted - self._joined:
            for group in missing:
                async with asyncio.timeout(CALL_S):
                    await layer.group_add(group, channel)
                if group in self._wanted:  # `leave` may have been called meanwhile
                    self._joined.add(group)

    async def _receive_all(self, layer: Layer, channel: str) -> None:
        while True:
            message = await layer.receive(channel)
            match message["type"]:
                case "heartbeat":
                    self._missed = 0
                case "probe":
                    self._confirm(message["nonce"])
                case _:
                    self._pass_on(message)

    def _confirm(self, nonce: str) -> None:
        returned = self._probes.get(nonce)
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
            await self._join_missing(layer, self._channel)
            done, _ = await asyncio.wait([receiver], timeout=HEARTBEAT_S)
            if done:
                receiver.result()

    async def _probe(self, layer: Layer, group: str) -> None:
        """Sends probes to the group until the first one comes back."""
        nonce = uuid4().hex
        returned = self._probes[nonce] = asyncio.get_running_loop().create_future()
        try:
            while not returned.done():
                await layer.group_send(group, {"type": "probe", "nonce": nonce})
                await asyncio.wait([returned], timeout=PROBE_AGAIN_S)
        finally:
            del self._probes[nonce]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


async def _send(layer: Layer, group: str, message: Message) -> None:
    try:
        async with asyncio.timeout(CALL_S):
            await layer.group_send(group, message)
    except Exception as error:  # noqa: BLE001  # a message may be lost
        logger.warning("A message to %s was lost: %r", group, error)


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


async def listen_cancels(callback: Callable[[set[RunId]], None]) -> None:
    """Calls back with the ids of Runs that were stopped, on the caller's event loop, until it is cancelled."""

    def receive(message: Message) -> None:
        if message["type"] == "cancel":
            callback(messages.cancelled(message))

    listener = HintListener(receive)
    listener.want(messages.WORKERS)
    await listener.run()
