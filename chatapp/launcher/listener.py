"""The listening socket of the web server. We make it ourselves, because two of its options bound the cost of a stalled client."""

import errno
import socket
from typing import Final

from django.core.management.base import CommandError

# Closes a connection whose peer has acknowledged nothing for so long. By default the kernel retries for about 15 minutes.
USER_TIMEOUT_MS: Final = 15_000
# Bounds the kernel's send buffer of each accepted socket. By default it grows: to 2.8 MB for one stalled client (measured).
SEND_BUFFER_BYTES: Final = 256 * 1024
BACKLOG: Final = 2048  # connections not yet accepted; many clients may reconnect at once


def listen(host: str, port: int) -> socket.socket:
    """Returns a listening socket. Accepted sockets inherit its options. Raises CommandError with a sentence for people."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CommandError(_sentence(error, host, port)) from error
    return listener


def adopt(fd: int) -> socket.socket:
    """Returns the listening socket that the parent process opened and passed on as file descriptor `fd`."""
    return socket.socket(fileno=fd)


def address(host: str, port: int) -> str:
    """Returns the URL of the page for a browser on this machine, without a slash at its end."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}"


def _sentence(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is taken by another program. Stop it, or choose another one: PORT={port + 1} make run"
    if error.errno == errno.EACCES:
        return f"Port {port} of {host} may not be used by this user. Choose one above 1023: PORT=8000 make run"
    return f"Cannot listen on HOST={host}, PORT={port}: {error.strerror or error}."
