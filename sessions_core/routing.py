"""The address of the WebSocket."""

from typing import Final

from channels.routing import URLRouter
from django.urls import path

from sessions_core.consumers import sessions_socket

# django-stubs types `path` for views only; Channels routes ASGI applications by the same patterns.
sockets: Final = URLRouter([path("ws/", sessions_socket)])  # type: ignore[arg-type]
