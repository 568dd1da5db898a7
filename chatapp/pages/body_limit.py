"""No request brings more than BODY_LIMIT. Django would put all of it on disk before it asks whose it is."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

from sessions_core.api.refusals import to_response
from sessions_core.protocol.errors import TooLarge

BODY_LIMIT: Final = 1024 * 1024  # bytes; the longest message as a form, each character as %XX%XX%XX%XX, and room
_REFUSED: Final = TooLarge(f"The request is too large; at most {BODY_LIMIT:,} bytes are possible.")

Event: TypeAlias = Mapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Event]]
Send: TypeAlias = Callable[[Event], Awaitable[None]]
Application: TypeAlias = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


class BoundedBodies:
    """The application, asked once a request's body is here and not too large; 413 otherwise, and the rest is not read."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
        elif _announced(scope) > BODY_LIMIT or (body := await _whole(receive)) is None:
            await _refuse(send)
        else:
            await self._application(scope, _again(body, receive), send)


def _announced(scope: dict[str, Any]) -> int:
    lengths = [value for name, value in scope["headers"] if name.lower() == b"content-length" and value.isdigit()]
    return max((int(length[:20]) for length in lengths), default=0)  # int() refuses thousands of digits


async def _whole(receive: Receive) -> Event | None:
    """The body as one event, or that the client left; None when it is too large, however it was announced."""
    chunks: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] != "http.request":
            return event
        chunks.append(event.get("body", b""))
        size += len(chunks[-1])
        if size > BODY_LIMIT:
            return None
        if not event.get("more_body"):
            return {"type": "http.request", "body": b"".join(chunks), "more_body": False}


def _again(first: Event, receive: Receive) -> Receive:
    waiting = [first]

    async def receive_again() -> Event:
        return waiting.pop() if waiting else await receive()

    return receive_again


async def _refuse(send: Send) -> None:
    refused = to_response(_REFUSED)
    headers = [(name.lower().encode(), value.encode()) for name, value in refused.items()]
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": refused.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": refused.content})
