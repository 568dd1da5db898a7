"""The listening socket bounds the cost of a stalled client."""

import socket

import pytest
from django.core.management.base import CommandError

from chatapp.launcher import listener
from tests.support.machine import free_port


def test_accepted_sockets_inherit_the_limits() -> None:
    with listener.listen("127.0.0.1", free_port()) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == listener.USER_TIMEOUT_MS
            # The kernel doubles the number, for its own bookkeeping (socket(7)).
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * listener.SEND_BUFFER_BYTES


def test_a_host_of_another_machine_is_refused_with_a_sentence() -> None:
    with pytest.raises(CommandError, match=r"Cannot listen on HOST=192.0.2.1, PORT=8000: Cannot assign"):
        listener.listen("192.0.2.1", 8000)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::1", "http://[::1]:80"),
        ("::", "http://[::1]:80"),
    ],
)
def test_the_address_is_one_that_a_browser_here_can_open(host: str, address: str) -> None:
    assert listener.address(host, 80) == address
