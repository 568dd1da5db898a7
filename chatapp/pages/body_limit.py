"""Bounds the body of every HTTP request, in size and in time. Django itself would write a body of any size to disk before it
checks who sent it, and would wait for one without end.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

from django.conf import settings
from django.http import HttpResponse

from sessions_core.api.refusals import to_response
from sessions_core.protocol.errors import Busy, Refusal, TooLarge, TooSlow

# Bytes. The longest message as a form, with each character as %XX%XX%XX%XX, and some room.
REQUEST_BODY_LIMIT: Final = 1024 * 1024
BODIES_BYTES: Final = 64 * 1024 * 1024  # of all requests of the process together
SMALL_BODY: Final = (
    64 * 1024
)  # bytes; as large as most messages. These are taken also when there is no room for large ones
_TOO_LARGE: Final = TooLarge(f"The request is too large; at most {REQUEST_BODY_LIMIT:,} bytes are possible.")

AsgiEvent: TypeAlias = Mapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[AsgiEvent]]
Send: TypeAlias = Callable[[AsgiEvent], Awaitable[None]]
Application: TypeAlias = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


class RequestBodyLimit:
    """ASGI middleware. Calls the application once the whole body is here. Answers 413 as soon as it is too large, 408 when it
    does not arrive in time, and 503 to a large one when others take all the room.
    """

    def __init__(self, application: Application, *, bodies_bytes: int = BODIES_BYTES) -> None:
        self._application = application
        self._free = bodies_bytes

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        body = _Body()
        try:
            if _content_length(scope) > REQUEST_BODY_LIMIT:
                raise _TOO_LARGE
            async with asyncio.timeout(settings.REQUEST_BODY_SECONDS):
                event = await self._read(receive, body)
        except (TimeoutError, Refusal) as error:
            refusal = error if isinstance(error, Refusal) else TooSlow()
            await send_response(to_response(refusal), send, close=True)
        else:
            await self._application(scope, _replay(event, receive), send)
        finally:
            self._free += body.size

    async def _read(self, receive: Receive, body: "_Body") -> AsgiEvent:
        """Returns the body as one event, or the event that the client has left. Raises TooLarge, Busy."""
        while True:
            event = await receive()
            if event["type"] != "http.request":
                return event
            chunk = event.get("body", b"")
            body.add(chunk)
            self._free -= len(chunk)
            if body.size > REQUEST_BODY_LIMIT:
                raise _TOO_LARGE
            if self._free < 0 and body.size > SMALL_BODY:
                raise Busy
            if not event.get("more_body"):
                return {"type": "http.request", "body": b"".join(body.chunks), "more_body": False}


class _Body:
    """What has arrived of a body."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.size = 0

    def add(self, chunk: bytes) -> None:
        self.chunks.append(chunk)
        self.size += len(chunk)


def _content_length(scope: dict[str, Any]) -> int:
    lengths = [value for name, value in scope["headers"] if name.lower() == b"content-length" and value.isdigit()]
    return max((int(length[:20]) for length in lengths), default=0)  # int() refuses thousands of digits


def _replay(event: AsgiEvent, receive: Receive) -> Receive:
    """Returns a `receive` that gives `event` first, and then what the server sends."""
    unread = [event]

    async def replayed() -> AsgiEvent:
        return unread.pop() if unread else await receive()

    return replayed


async def send_response(response: HttpResponse, send: Send, *, close: bool = False) -> None:
    """Sends a response of Django's from outside of Django. `close` ends the connection after it."""
    headers = [(name.lower().encode(), value.encode()) for name, value in response.items()]
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.content})
