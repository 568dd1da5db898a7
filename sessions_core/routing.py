"""Where sockets arrive."""

from typing import Final

from channels.routing import URLRouter
from django.urls import path

from sessions_core.consumers import sessions_socket

# django-stubs knows views only; Channels routes any ASGI application by the same patterns.
sockets: Final = URLRouter([path("ws/", sessions_socket)])  # type: ignore[arg-type]
