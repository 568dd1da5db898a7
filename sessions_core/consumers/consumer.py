"""The WebSocket endpoint at `/ws/`: a Channels consumer that carries the frames of one Connection."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any, Final

from channels.consumer import AsyncConsumer, get_handler_name
from channels.exceptions import StopConsumer
from django.core.handlers.asgi import ASGIRequest
from typing_extensions import override

from sessions_core import bridge
from sessions_core.consumers.receiver import Receiver
from sessions_core.live.connection import Connection
from sessions_core.live.delivery import current_delivery
from sessions_core.protocol.errors import BadOrigin, NotSignedIn
from sessions_core.protocol.frames import CLOSE_BUSY, CLOSE_NOT_SIGNED_IN, SUBPROTOCOL
from sessions_core.services import callers
from sessions_core.services.callers import Caller
from sessions_core.services.failures import refusal_of

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

REASON_BYTES: Final = 123  # of a close frame's reason
IDENTIFY_S: Final = 10.0  # for the query that tells who opens a socket; more wait when many strangers come at once
FLOOD_PAUSE_S: Final = 0.05  # at least, before the next frame of a client that sends too fast is received
FLOOD_PAUSE_AT_MOST_S: Final = 1.0

logger = logging.getLogger(__name__)


class SessionsConsumer(AsyncConsumer):  # type: ignore[misc]  # Channels has no types
    """One WebSocket, from its upgrade to its end; the Transport of its Connection.

    Two things that AsyncConsumer does are left out. It makes no channel: that is a Redis subscription for each socket, and no
    socket opens while Redis is away; the hub has one channel for the whole process. And `dispatch` closes no old database
    connections: that is a hop to one global thread for each message, and handlers use the database through `bridge` only.
    """

    @override
    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Sends in this task and receives in another one, so that neither waits for the other."""
        self.scope, self.base_send = scope, send
        try:
            await self.dispatch(await receive())
        except StopConsumer:
            return
        reader = asyncio.create_task(self._read(receive))
        try:
            await self.delivery.serve(self.connection)
        finally:
            reader.cancel()

    @override
    async def dispatch(self, message: Message) -> None:
        """Calls the handler that is named for the type of the message."""
        await getattr(self, get_handler_name(message))(message)

    async def websocket_connect(self, _message: Message) -> None:
        """Accepts the socket and makes its Connection. Raises StopConsumer for a client that is refused."""
        caller = await self._identify()
        await self._accept()
        address = self.scope["client"][0] if self.scope.get("client") else ""
        self.delivery = current_delivery()
        self.connection = Connection(caller, address, self, self.delivery)
        self.receiver = Receiver(self.connection, self.delivery)

    async def websocket_receive(self, message: Message) -> None:
        """Hands one frame to the Receiver, which does not wait until it is executed."""
        if self.connection.closing:
            return
        if wait_s := self.receiver.receive(message.get("text") or message.get("bytes") or ""):
            await asyncio.sleep(min(max(wait_s, FLOOD_PAUSE_S), FLOOD_PAUSE_AT_MOST_S))

    async def websocket_disconnect(self, _message: Message) -> None:
        """Ends the Connection: the client is gone."""
        self.connection.disconnect()
        raise StopConsumer

    def send_text(self, text: str) -> Awaitable[None]:
        return self.base_send({"type": "websocket.send", "text": text})

    def close(self, code: int, reason: str) -> Awaitable[None]:
        reason = reason.encode()[:REASON_BYTES].decode(errors="ignore")
        return self.base_send({"type": "websocket.close", "code": code, "reason": reason})

    async def _identify(self) -> Caller:
        """Returns who opens the socket. Refuses a stranger with a close code, since a browser shows no HTTP status."""
        try:
            async with asyncio.timeout(IDENTIFY_S), current_delivery().identifying:
                return await bridge.run(callers.by_upgrade, self._upgrade())
        except TimeoutError:
            await self._accept()
            await self.close(CLOSE_BUSY, "Try again in a moment.")
        except BadOrigin:
            await self.close(1000, "")  # before it is accepted: the server answers HTTP 403
        except NotSignedIn:
            await self._accept()
            await self.close(CLOSE_NOT_SIGNED_IN, "Sign in first.")
        except Exception as error:  # noqa: BLE001  # the edge: without the database nobody can be identified
            await self._accept()
            await self.close(CLOSE_BUSY, refusal_of(error).message)
        raise StopConsumer

    def _upgrade(self) -> ASGIRequest:
        """Returns the upgrade as the HTTP request that it is, so that Django judges it by the rules of all others."""
        scheme = "https" if self.scope.get("scheme") == "wss" else "http"
        return ASGIRequest({**self.scope, "method": "GET", "scheme": scheme}, BytesIO())

    async def _accept(self) -> None:
        offered = SUBPROTOCOL in self.scope.get("subprotocols", ())
        await self.base_send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if offered else None})

    async def _read(self, receive: Receive) -> None:
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            pass
        except Exception:  # the edge: a socket that is not read any more would be worse than a closed one
            logger.exception("A socket could not be read.")
            self.connection.close(CLOSE_BUSY, "Something went wrong here. Connect again.")
