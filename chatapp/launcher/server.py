"""The web server: uvicorn with the limits that live sockets need. On SIGTERM it drains the sockets before it closes."""

import logging
import resource
import socket
from typing import Final

import uvicorn
from typing_extensions import override

from chatapp.launcher.http_protocol import HttpProtocol
from sessions_core.live import delivery, draining
from sessions_core.process import garbage
from sessions_core.protocol.frames import FRAME_BYTES

# Below WARNING only at start and shutdown: uvicorn logs three lines for each socket.
UVICORN: Final = logging.getLogger("uvicorn.error")
SHUTDOWN_S: Final = 10  # for requests without an answer when the sockets have been drained


def serve(listener: socket.socket) -> None:
    """Serves on the listening socket until SIGTERM or SIGINT, then drains."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (most, most)
    )  # each connection is an open file; 1,024 is the usual soft limit
    Server(config()).run(sockets=[listener])


def config() -> uvicorn.Config:
    """Returns the configuration of uvicorn, for the command `web` and for tests."""
    return uvicorn.Config(
        "chatapp.asgi:application",
        loop="uvloop",
        http=HttpProtocol,
        ws="websockets-sansio",
        ws_max_size=FRAME_BYTES,  # a larger frame closes the socket with 1009 before it is in memory
        ws_per_message_deflate=False,  # frames are small and many: it costs more than it saves
        lifespan="off",
        access_log=False,
        server_header=False,
        log_config=None,  # Django's LOGGING applies
        timeout_graceful_shutdown=SHUTDOWN_S,
    )


class Server(uvicorn.Server):
    """Tunes the garbage collector once everything is loaded, and drains the WebSockets before uvicorn shuts down."""

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        garbage.tune()
        UVICORN.setLevel(logging.WARNING)

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        draining.begin()
        await delivery.drain()
        UVICORN.setLevel(logging.NOTSET)
        await super().shutdown(sockets)
