"""A body over the limit is not read to its end, with any Content-Length or none."""

import json
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

import pytest

from chatapp.pages.body_limit import REQUEST_BODY_LIMIT, AsgiEvent, Receive, RequestBodyLimit, Send


class Upload:
    """Sends one request through RequestBodyLimit to an application that keeps the body in `received`."""

    def __init__(self, chunks: Iterable[bytes], *, content_length: bytes | None = None) -> None:
        self.events = self._events(chunks)
        self.headers = [] if content_length is None else [(b"content-length", content_length)]
        self.read = 0
        self.received: bytes | None = None
        self.sent: list[AsgiEvent] = []

    async def run(self) -> "Upload":
        scope: Any = {"type": "http", "headers": self.headers}
        await RequestBodyLimit(self._application)(scope, self._receive, self._send)
        return self

    @staticmethod
    def _events(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
        for chunk in chunks:
            yield {"type": "http.request", "body": chunk, "more_body": True}
        yield {"type": "http.request", "body": b"", "more_body": False}
        yield {"type": "http.disconnect"}

    async def _receive(self) -> dict[str, Any]:
        event = next(self.events)
        self.read += len(event.get("body", b""))
        return event

    async def _send(self, event: AsgiEvent) -> None:
        self.sent.append(event)

    async def _application(self, _scope: object, receive: Receive, _send: Send) -> None:
        event = await receive()
        self.received = event.get("body")
        assert event["type"] == "http.disconnect" or (await receive())["type"] == "http.disconnect"


@pytest.mark.parametrize("chunks", [[], [b"a"], [b"a", b"b"], [b"x" * REQUEST_BODY_LIMIT], [b"x"] * 3000])
async def test_a_body_within_the_limit_arrives_whole(chunks: list[bytes]) -> None:
    done = await Upload(chunks).run()

    assert done.received == b"".join(chunks)
    assert done.sent == []


async def test_a_body_without_end_is_refused_at_the_limit() -> None:
    done = await Upload(repeat(b"x" * 64 * 1024)).run()

    assert done.received is None
    assert done.read <= REQUEST_BODY_LIMIT + 64 * 1024
    assert done.sent[0]["status"] == 413
    assert (b"connection", b"close") in done.sent[0]["headers"]
    assert json.loads(done.sent[1]["body"])["error"]["code"] == "too_large"


@pytest.mark.parametrize("content_length", [REQUEST_BODY_LIMIT + 1, 10**15])
async def test_a_body_announced_as_too_large_is_not_read_at_all(content_length: int) -> None:
    done = await Upload(repeat(b"x"), content_length=b"%d" % content_length).run()

    assert done.read == 0
    assert done.sent[0]["status"] == 413


@pytest.mark.parametrize("content_length", [b"", b"-1", b"x", "²".encode()])
async def test_a_strange_announcement_counts_for_nothing(content_length: bytes) -> None:
    assert (await Upload([b"a"], content_length=content_length).run()).received == b"a"


async def test_a_client_that_leaves_is_told_on() -> None:
    upload = Upload([])
    upload.events = iter([{"type": "http.disconnect"}])

    assert (await upload.run()).sent == []
