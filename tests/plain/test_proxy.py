"""The bad network of the fault suite does what it says: else the faults would prove nothing."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.proxy import Proxy, Way


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """A server that sends back what it gets."""
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_serve, args=[listener], daemon=True).start()
    yield listener.getsockname()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def proxy(echo: tuple[str, int]) -> Iterator[Proxy]:
    with Proxy(echo) as made:
        yield made


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with _client(proxy) as made:
        yield made


def test_it_relays(client: socket.socket) -> None:
    assert _ask(client, b"a" * 200_000) == b"a" * 200_000


@pytest.mark.parametrize("way", [Way.TO_SERVER, Way.TO_CLIENT, Way.BOTH])
def test_what_is_stalled_neither_arrives_nor_fails_and_goes_on_when_healed(
    proxy: Proxy, client: socket.socket, way: Way
) -> None:
    proxy.stall(way)
    client.sendall(b"later")
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.recv(1)

    client.settimeout(5)
    proxy.heal()
    assert client.recv(5, socket.MSG_WAITALL) == b"later"


def test_a_cut_resets_and_lets_new_ones_in(proxy: Proxy, client: socket.socket) -> None:
    _ask(client, b"x")
    proxy.cut()

    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with _client(proxy) as another:
        assert _ask(another, b"y") == b"y"


def test_refusing_ends_new_ones_until_it_is_healed(proxy: Proxy) -> None:
    proxy.refuse()
    with pytest.raises(ConnectionError):
        _knock(proxy)

    proxy.heal()
    with _client(proxy) as another:
        assert _ask(another, b"y") == b"y"


def test_a_throttled_client_gets_so_many_bytes_a_second(proxy: Proxy, client: socket.socket) -> None:
    proxy.throttle(20_000)
    began = time.monotonic()

    assert _ask(client, b"x" * 10_000) == b"x" * 10_000
    assert time.monotonic() - began > 0.35


def test_it_goes_to_the_upstream_of_the_moment(proxy: Proxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        proxy.upstream = other.getsockname()
        with _client(proxy) as client:
            accepted, _ = other.accept()
            client.sendall(b"hi")
            assert accepted.recv(2) == b"hi"
            accepted.close()


def _client(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


def _knock(proxy: Proxy) -> None:
    """The RST may come while connecting, or after it."""
    with _client(proxy) as client:
        client.recv(1)


def _ask(client: socket.socket, data: bytes) -> bytes:
    sender = threading.Thread(target=client.sendall, args=[data])
    sender.start()
    got = b""
    while len(got) < len(data):
        got += client.recv(65536)
    sender.join()
    return got


def _serve(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_echo, args=[connection], daemon=True).start()


def _echo(connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        while data := connection.recv(65536):
            connection.sendall(data)
