"""A listening place in the channel layer that notices when it has gone deaf, and then makes itself a new one.

Redis Pub/Sub over a link that has gone dead raises nothing, ever (docs/topics/delivery.md). So a Link sends itself a message each
second, and builds a new link when two were not received. Joining a group is done when a nonce sent to the group has come back,
not when `group_add` returns.
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
MISSES: Final = 2  # unheard beats until the link counts as deaf
CALL_S: Final = 2.0  # one call of the layer; its calls share a lock, and a black-holed link holds it for good
FENCE_S: Final = 1.0  # then go on: the tail check repairs what was missed
FENCE_AGAIN_S: Final = 0.1  # a nonce sent before Redis had subscribed us is lost
RETRY_S: Final = 0.5

logger = logging.getLogger(__name__)


class _DeafError(Exception):
    """Our own beats do not come back."""


class Link:
    """`hear` gets every message of the joined groups; `rebuilt` is called when messages may have been missed."""

    def __init__(self, hear: Callable[[Message], None], *, rebuilt: Callable[[], None] = lambda: None) -> None:
        self._hear = hear
        self._rebuilt = rebuilt
        self._name = uuid4().hex
        self._groups: set[str] = {self._name}  # to be joined
        self._joined: set[str] = set()  # of these, those that this layer has joined
        self._fences: dict[str, asyncio.Future[None]] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._layer: Layer | None = None
        self._channel = ""
        self._unheard = 0

    async def run(self) -> None:
        """Stays linked until it is cancelled."""
        while True:
            try:
                await self._live(messages.new_layer())
            except Exception as error:  # noqa: BLE001  # Redis down, cut off, restarted: all the same here
                logger.warning("The channel layer is deaf, joining anew: %r", error)
            await asyncio.sleep(RETRY_S)

    @property
    def up(self) -> bool:
        """Whether the last beats were heard."""
        return self._layer is not None and self._unheard < MISSES

    def listen(self, group: str) -> None:
        """Joins the group whenever the link is built: for those that are joined before `run`."""
        self._groups.add(group)

    async def join(self, group: str) -> bool:
        """Whether messages of the group are known to arrive from now on. False: they will, later, when the link is up."""
        self._groups.add(group)
        if self._layer is None or not self.up:
            return False
        try:
            async with asyncio.timeout(FENCE_S):
                await self._layer.group_add(group, self._channel)
                self._joined.add(group)
                await self._fence(self._layer, group)
        except Exception as error:  # noqa: BLE001
            logger.warning("No fence for %s, going on without: %r", group, error)
            return False
        return True

    async def leave(self, group: str) -> None:
        self._groups.discard(group)
        self._joined.discard(group)
        if self._layer is None:
            return
        try:
            async with asyncio.timeout(CALL_S):
                await self._layer.group_discard(group, self._channel)
        except Exception as error:  # noqa: BLE001  # then we hear what nobody here follows, until the next rebuild
            logger.warning("Could not leave %s: %r", group, error)

    def tell(self, group: str, message: Message) -> None:
        """Sends to the group, if the link is up. Nobody waits for it."""
        if self._layer is not None:
            self._spawn(self._told(self._layer, group, message))

    async def _live(self, layer: Layer) -> None:
        receiver: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout(CALL_S):
                channel = await layer.new_channel()
            self._joined.clear()
            await self._join_missing(layer, channel)
            self._layer, self._channel, self._unheard = layer, channel, 0
            receiver = asyncio.create_task(self._receive(layer, channel), name="link")
            await self._beat(layer, receiver)
        finally:
            self._layer = None
            self._spawn(_discard(layer, receiver))

    async def _join_missing(self, layer: Layer, channel: str) -> None:
        """Joins what was wanted while the link was being built, and what a slow moment kept from being joined."""
        while missing := self._groups - self._joined:
            for group in missing:
                async with asyncio.timeout(CALL_S):
                    await layer.group_add(group, channel)
                if group in self._groups:  # nobody left it meanwhile
                    self._joined.add(group)

    async def _receive(self, layer: Layer, channel: str) -> None:
        while True:
            message = await layer.receive(channel)
            match message["type"]:
                case "beat":
                    self._heard()
                case "fence":
                    self._came_back(message["nonce"])
                case _:
                    self._pass_on(message)

    def _heard(self) -> None:
        self._unheard = 0

    def _came_back(self, nonce: str) -> None:
        waiting = self._fences.get(nonce)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _pass_on(self, message: Message) -> None:
        try:
            self._hear(message)
        except Exception:  # one bad message must not make the process deaf
            logger.exception("A message of the channel layer could not be used.")

    async def _beat(self, layer: Layer, receiver: asyncio.Task[None]) -> None:
        self._rebuilt()
        while True:
            if self._unheard >= MISSES:
                raise _DeafError
            self._unheard += 1
            async with asyncio.timeout(CALL_S):
                await layer.group_send(self._name, {"type": "beat"})
            await self._join_missing(layer, self._channel)
            done, _ = await asyncio.wait([receiver], timeout=HEARTBEAT_S)
            if done:
                receiver.result()

    async def _fence(self, layer: Layer, group: str) -> None:
        nonce = uuid4().hex
        came_back = self._fences[nonce] = asyncio.get_running_loop().create_future()
        try:
            while not came_back.done():
                await layer.group_send(group, {"type": "fence", "nonce": nonce})
                await asyncio.wait([came_back], timeout=FENCE_AGAIN_S)
        finally:
            del self._fences[nonce]

    async def _told(self, layer: Layer, group: str, message: Message) -> None:
        try:
            async with asyncio.timeout(CALL_S):
                await layer.group_send(group, message)
        except Exception as error:  # noqa: BLE001
            logger.warning("A message to %s was lost: %r", group, error)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


async def _discard(layer: Layer, receiver: asyncio.Task[None] | None) -> None:
    """Closes what is left of a layer. Never waited for: on a dead link each step may hang."""
    if receiver is not None:
        receiver.cancel()
        await asyncio.wait([receiver], timeout=CALL_S)
    try:
        async with asyncio.timeout(CALL_S):
            await layer.flush()
    except Exception as error:  # noqa: BLE001
        logger.info("An old channel layer did not close cleanly: %r", error)


async def listen_cancels(callback: Callable[[set[RunId]], None]) -> None:
    """Calls back with the Runs that somebody wants stopped, as it is told. Runs on the caller's loop until cancelled."""

    def hear(message: Message) -> None:
        if message["type"] == "cancel":
            callback(messages.cancelled(message))

    link = Link(hear)
    link.listen(messages.WORKERS)
    await link.run()
