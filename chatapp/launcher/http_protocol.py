"""uvicorn's HTTP protocol, with a deadline for the head of a request and a bound on open connections. uvicorn has neither: a
client that never ends its head would keep its connection for ever. The deadline for the body is in
`chatapp/pages/body_limit.py`, and the kernel ends a client that acknowledges nothing (`listener.py`).
"""

import asyncio
from typing import ClassVar, Final

from django.conf import settings
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES: Final = 64 * 1024  # of one request: its line and its headers
GRACE_S: Final = 2.0  # a connection that is younger is not closed for others: many clients may come back at once
_NO_BODY: Final = b"content-length: 0\r\nconnection: close\r\n\r\n"
_TOO_SLOW: Final = b"HTTP/1.1 408 Request Timeout\r\n" + _NO_BODY
_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\n" + _NO_BODY


class HttpProtocol(HttpToolsProtocol):
    """One HTTP connection, until it ends or becomes a WebSocket."""

    _open: ClassVar[set["HttpProtocol"]] = set()
    # Those whose client is to do something, by its address, with the time since when: to send a request, or to take its response.
    _waiting: ClassVar[dict[str, dict["HttpProtocol", float]]] = {}
    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        self._open.add(self)
        self._wait_for_client()
        self._expect_head()
        if len(self._open) > settings.HTTP_CONNECTIONS:
            self._close_one()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        super().connection_lost(exc)

    @override
    def handle_websocket_upgrade(self) -> None:
        self._leave()
        super().handle_websocket_upgrade()

    @override
    def data_received(self, data: bytes) -> None:
        if self._deadline is None and self._is_idle():
            self._expect_head()
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > HEAD_BYTES:
            self._refuse(_TOO_LARGE)

    @override
    def on_headers_complete(self) -> None:
        self._head_bytes = 0
        self._forget_deadline()
        super().on_headers_complete()

    @override
    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        self._stop_waiting()
        super().on_message_complete()

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self in self._open:
            self._wait_for_client()

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait_for_client()

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_waiting()

    def give_way(self) -> None:
        """Closes the connection at once, for the sake of a new one."""
        self._leave()
        self.transport.abort()

    def _expect_head(self) -> None:
        self._deadline = self.loop.call_later(settings.REQUEST_HEAD_SECONDS, self._refuse, _TOO_SLOW)

    def _refuse(self, response: bytes) -> None:
        """Closes the connection, with the response if the client has begun a request and gets no other one."""
        self._forget_deadline()
        if self._head_bytes and self._is_idle():
            self.transport.write(response)
        self.transport.close()

    def _is_idle(self) -> bool:
        """Returns whether no response is under way. uvicorn has no cycle before the first request, and does not say so."""
        return bool(getattr(self.cycle, "response_complete", True))

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _wait_for_client(self) -> None:
        self._waiting.setdefault(self._address, {}).setdefault(self, self.loop.time())

    def _stop_waiting(self) -> None:
        near = self._waiting.get(self._address, {})
        near.pop(self, None)
        if not near:
            self._waiting.pop(self._address, None)

    def _leave(self) -> None:
        self._open.discard(self)
        self._stop_waiting()
        self._forget_deadline()

    def _close_one(self) -> None:
        """Closes the connection that has waited for its client the longest, of the address with most of them."""
        crowd = max(self._waiting.values(), key=len)
        oldest, since_s = next(iter(crowd.items()))
        if self.loop.time() - since_s >= GRACE_S:
            oldest.give_way()
