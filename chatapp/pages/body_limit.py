"""Bounds the body of every HTTP request. Django itself would write a body of any size to disk before it checks who sent it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

from django.http import HttpResponse

from sessions_core.api.refusals import to_response
from sessions_core.protocol.errors import TooLarge

# Bytes. The longest message as a form, with each character as %XX%XX%XX%XX, and some room.
REQUEST_BODY_LIMIT: Final = 1024 * 1024
_TOO_LARGE: Final = TooLarge(f"The request is too large; at most {REQUEST_BODY_LIMIT:,} bytes are possible.")

AsgiEvent: TypeAlias = Mapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[AsgiEvent]]
Send: TypeAlias = Callable[[AsgiEvent], Awaitable[None]]
Application: TypeAlias = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


class RequestBodyLimit:
    """ASGI middleware. Calls the application once the whole body is here; answers 413 as soon as it is too large."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
        elif _content_length(scope) > REQUEST_BODY_LIMIT or (body := await _read_body(receive)) is None:
            await send_response(to_response(_TOO_LARGE), send, close=True)
        else:
            await self._application(scope, _replay(body, receive), send)


def _content_length(scope: dict[str, Any]) -> int:
    lengths = [value for name, value in scope["headers"] if name.lower() == b"content-length" and value.isdigit()]
    return max((int(length[:20]) for length in lengths), default=0)  # int() refuses thousands of digits


async def _read_body(receive: Receive) -> AsgiEvent | None:
    """Returns the body as one event, or the event that the client has left, or None when the body is too large."""
    chunks: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] != "http.request":
            return event
        chunks.append(event.get("body", b""))
        size += len(chunks[-1])
        if size > REQUEST_BODY_LIMIT:
            return None
        if not event.get("more_body"):
            return {"type": "http.request", "body": b"".join(chunks), "more_body": False}


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
