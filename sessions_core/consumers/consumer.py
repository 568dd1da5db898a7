"""The ASGI application at `/ws/`: lets somebody in, receives, and hands on. A thin shell around Connection."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from math import ceil
from typing import Any, Final

from sessions_core import bridge
from sessions_core.consumers import commands
from sessions_core.live.connection import Connection
from sessions_core.live.delivery import Delivery, here
from sessions_core.machines.send_buffer import size_of
from sessions_core.protocol.errors import BadFrame, BadOrigin, HelloFirst, Invalid, NotSignedIn, RateLimited, Refusal
from sessions_core.protocol.frames import (
    CLOSE_BUSY,
    CLOSE_MISBEHAVING,
    CLOSE_NOT_SIGNED_IN,
    CLOSE_TOO_LARGE,
    FRAME_LIMIT,
    SUBPROTOCOL,
    ClientFrame,
    Hello,
    Ping,
    Typing,
    addressed,
    parse,
    refused,
)
from sessions_core.services import callers

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

WAITING: Final = 64  # frames that wait for the one before to be obeyed; more are refused
BRAKE_S: Final = 0.05  # before the next frame is received from one who floods

logger = logging.getLogger(__name__)


async def sessions_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """One WebSocket, from its upgrade to its end."""
    await receive()  # websocket.connect
    try:
        caller = await bridge.run(callers.by_headers, scope["headers"])
    except BadOrigin:
        await send({"type": "websocket.close", "code": 1000})  # before it is accepted: HTTP 403
        return
    except NotSignedIn:
        await _accept(scope, send)
        await send({"type": "websocket.close", "code": CLOSE_NOT_SIGNED_IN, "reason": "Sign in first."})
        return
    except Exception:  # without the database nobody can be known
        logger.exception("Could not find out who opens a socket.")
        await _accept(scope, send)
        await send({"type": "websocket.close", "code": CLOSE_BUSY, "reason": "Try again in a moment."})
        return
    await _accept(scope, send)
    address = scope["client"][0] if scope.get("client") else ""
    delivery = here()
    connection = Connection(caller, address, send, delivery)
    await _Socket(connection, delivery, receive).serve()


async def _accept(scope: Scope, send: Send) -> None:
    offered = SUBPROTOCOL in scope.get("subprotocols", ())
    await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if offered else None})


class _Socket:
    """Receives while `connection` writes."""

    def __init__(self, connection: Connection, delivery: Delivery, receive: Receive) -> None:
        self._connection = connection
        self._delivery = delivery
        self._receive = receive
        self._waiting: deque[ClientFrame] = deque()
        self._obeying = False
        self._time = asyncio.get_running_loop().time

    async def serve(self) -> None:
        connection, delivery = self._connection, self._delivery
        refusal = delivery.census.admit(connection.caller.user, connection.address)
        reader = asyncio.create_task(self._read())
        try:
            if refusal is not None:
                connection.close(refusal, "Too many connections.")
            elif delivery.draining:
                delivery.send_away(connection)
            else:
                delivery.add(connection)
            await connection.write()
        finally:
            reader.cancel()
            delivery.remove(connection)
            if refusal is None:
                delivery.census.leave(connection.caller.user, connection.address)

    async def _read(self) -> None:
        try:
            while (message := await self._receive())["type"] != "websocket.disconnect":
                if not self._connection.closing and self._hear(message.get("text") or message.get("bytes") or ""):
                    await asyncio.sleep(BRAKE_S)
            self._connection.hang_up()
        except Exception:  # the edge: a mute socket would be worse than a closed one
            logger.exception("A socket could not be read.")
            self._connection.close(CLOSE_BUSY, "Something went wrong here. Connect again.")

    def _hear(self, text: str | bytes) -> bool:
        """Takes one frame. True when there are too many."""
        connection, now = self._connection, self._time()
        if (len(text) if isinstance(text, bytes) else size_of(text)) > FRAME_LIMIT:
            connection.close(CLOSE_TOO_LARGE, f"A frame has {FRAME_LIMIT} bytes at most.")
            return False
        wait_s = connection.rate.wait_s(now)
        try:
            if wait_s:
                raise RateLimited(retry_after_ms=ceil(wait_s * 1000))
            self._do(self._parsed(text))
        except Refusal as refusal:
            id, session = addressed(text if isinstance(text, str) else "")
            connection.reply(refused(refusal, id=id, session=session))
            if isinstance(refusal, Invalid) and connection.rate.bad(now):
                connection.close(CLOSE_MISBEHAVING, "Too many frames that cannot be read.")
        return wait_s > 0

    def _parsed(self, text: str | bytes) -> ClientFrame:
        if isinstance(text, bytes):
            raise BadFrame("A frame is a text message.")
        frame = parse(text)
        if self._connection.device is None and not self._waiting and not self._obeying and not isinstance(frame, Hello):
            raise HelloFirst
        return frame

    def _do(self, frame: ClientFrame) -> None:
        """What is quick is done at once, so that a ping is answered while a post waits for the database."""
        if isinstance(frame, Ping | Typing) and self._connection.device is not None:
            commands.quick(frame, self._connection, self._delivery)
        elif len(self._waiting) >= WAITING:
            raise RateLimited(retry_after_ms=1000)
        else:
            self._waiting.append(frame)
            if not self._obeying:
                self._obeying = True
                self._delivery.spawn(self._obey())

    async def _obey(self) -> None:
        """Ends when nothing waits: an idle Connection has no task for it. A command that was received is done, also when
        the other side has gone meanwhile.
        """
        try:
            while self._waiting:
                await commands.obey(self._waiting.popleft(), self._connection, self._delivery)
        finally:
            self._obeying = False
