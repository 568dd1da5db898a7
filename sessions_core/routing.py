"""The addresses of the WebSockets."""

from typing import Final

from channels.routing import URLRouter
from django.urls import path

from sessions_core.consumers import SessionsConsumer

# django-stubs knows views only; Channels routes consumers by the same patterns.
sockets: Final = URLRouter([path("ws/", SessionsConsumer.as_asgi())])
