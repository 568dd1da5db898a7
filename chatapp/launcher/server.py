"""The web server: uvicorn, told what live sockets need, and stopping in the order that their clients expect."""

import logging
import socket
from typing import Final

import uvicorn
from typing_extensions import override

from sessions_core.live import delivery, draining
from sessions_core.process import garbage
from sessions_core.protocol.frames import FRAME_LIMIT

# Silent between start and end: it has three lines for each socket that comes and goes.
UVICORN: Final = logging.getLogger("uvicorn.error")
SHUTDOWN_S = 10  # for requests that are still being answered when the sockets have been drained


def serve(listener: socket.socket) -> None:
    """Answers on `listener` until SIGTERM or SIGINT, then drains."""
    Server(config()).run(sockets=[listener])


def config() -> uvicorn.Config:
    """How uvicorn is set, here and in the tests."""
    return uvicorn.Config(
        "chatapp.asgi:application",
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=FRAME_LIMIT,  # larger ones close with 1009 before they are in memory
        ws_per_message_deflate=False,  # frames are small and many: it costs more than it saves
        lifespan="off",
        access_log=False,
        server_header=False,
        log_config=None,  # Django's LOGGING is in force
        timeout_graceful_shutdown=SHUTDOWN_S,
    )


class Server(uvicorn.Server):
    """uvicorn, but it settles when all is loaded, and on SIGTERM it goes out of service and drains its WebSockets first."""

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
