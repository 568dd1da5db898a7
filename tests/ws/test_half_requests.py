"""Clients that send half a request, or take no response: each ends in time, and many of them keep nobody out."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from pytest_django import Settings

from chatapp.launcher import http_protocol
from tests.support.waiting import DEADLINE_S, until
from tests.ws.server import serving

HALF_HEAD = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
HEAD = (
    b"POST /api/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
)
ALIVE = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def server(settings: Settings, transactional_db: None) -> Iterator[tuple[str, int]]:
    settings.REQUEST_HEAD_SECONDS = settings.REQUEST_BODY_SECONDS = 0.3
    with serving() as address:
        host, _, port = address.partition(":")
        yield host, int(port)


def connect(server: tuple[str, int], data: bytes = b"") -> socket.socket:
    client = socket.create_connection(server, timeout=DEADLINE_S)
    client.sendall(data)
    return client


def read_all(client: socket.socket) -> bytes:
    """Returns what the server sends until it closes the connection."""
    answer = b""
    while data := client.recv(65536):
        answer += data
    return answer


def test_a_head_that_does_not_end_ends_the_connection(server: tuple[str, int]) -> None:
    with connect(server, HALF_HEAD) as client:
        assert read_all(client).startswith(b"HTTP/1.1 408 ")


def test_a_client_that_says_nothing_is_closed_without_a_word(server: tuple[str, int]) -> None:
    with connect(server) as client:
        assert read_all(client) == b""


def test_the_deadline_holds_for_a_second_request_too(server: tuple[str, int]) -> None:
    with connect(server, ALIVE) as client:
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        client.sendall(b"\r\n")  # may come before a request, and is none

        assert read_all(client)[:4] in {b"", b"HTTP"}


def test_a_body_that_does_not_end_is_refused(server: tuple[str, int]) -> None:
    with connect(server, HEAD + b"{") as client:
        answer = read_all(client)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"too_slow"' in answer


def test_a_head_without_end_is_refused_by_its_size(server: tuple[str, int], settings: Settings) -> None:
    settings.REQUEST_HEAD_SECONDS = 600
    with connect(server, HALF_HEAD) as client:
        try:
            for _ in range(100):
                client.sendall(b"x" * http_protocol.HEAD_BYTES)
            answer = read_all(client)
        except ConnectionError:  # reset, because it sends on
            answer = b""

    assert answer[:13] in {b"", b"HTTP/1.1 431 "}


@pytest.mark.parametrize("sent", [b"", HALF_HEAD, HEAD])
def test_many_half_requests_keep_nobody_out(
    server: tuple[str, int], settings: Settings, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    settings.REQUEST_HEAD_SECONDS = settings.REQUEST_BODY_SECONDS = 600
    settings.HTTP_CONNECTIONS = 20
    monkeypatch.setattr(http_protocol, "GRACE_S", 0.0)
    with ExitStack() as stack:
        crowd = [stack.enter_context(connect(server, sent)) for _ in range(100)]
        with connect(server, ALIVE) as client:
            assert client.recv(65536).startswith(b"HTTP/1.1 200 ")

        for closed in crowd[:80]:
            with pytest.raises((ConnectionError, AssertionError)):
                assert closed.recv(1) != b""


def test_connections_that_ended_are_not_counted(server: tuple[str, int]) -> None:
    for _ in range(5):
        with connect(server, ALIVE) as client:
            assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
    with connect(server) as client:
        assert read_all(client) == b""

    until(lambda: not http_protocol.HttpProtocol._open and not http_protocol.HttpProtocol._waiting)
