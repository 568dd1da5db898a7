"""The socket that the web server listens on. Ours, because two of its options bound what a stalled client may cost."""

import errno
import socket
from typing import Final

from django.core.management.base import CommandError

# A peer that acknowledges nothing for so long is gone. Without it the kernel keeps sending for about fifteen minutes.
USER_TIMEOUT_MS: Final = 15_000
# Of each accepted socket. Without it the kernel lets it grow: 2.8 MB were held for one stalled client.
SEND_BUFFER_BYTES: Final = 256 * 1024
BACKLOG: Final = 2048  # a herd of reconnecting clients should wait rather than be refused


def listen(host: str, port: int) -> socket.socket:
    """A bound, listening socket whose options its accepted sockets inherit. Raises CommandError with a sentence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as refused:
        listener.close()
        raise CommandError(_sentence(refused, host, port)) from refused
    return listener


def adopt(fd: int) -> socket.socket:
    """The listening socket that the process which started this one passed on."""
    return socket.socket(fileno=fd)


def address(host: str, port: int) -> str:
    """Where a browser on this machine finds the page."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}"


def _sentence(refused: OSError, host: str, port: int) -> str:
    if refused.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is taken by another program. Stop it, or choose another one: PORT={port + 1} make run"
    if refused.errno == errno.EACCES:
        return f"Port {port} of {host} may not be used by this user. Choose one above 1023: PORT=8000 make run"
    return f"Cannot listen on HOST={host}, PORT={port}: {refused.strerror or refused}."
