"""The ASGI application: Django serves pages and API, `sessions_core` the WebSockets."""

import os
from typing import Final

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")
_django: Final = get_asgi_application()  # sets Django up, so it comes before imports that need the models

from chatapp.pages.body_limit import RequestBodyLimit  # noqa: E402
from chatapp.pages.request_limit import RequestLimit  # noqa: E402
from sessions_core.routing import sockets  # noqa: E402

application: Final = ProtocolTypeRouter({"http": RequestBodyLimit(RequestLimit(_django)), "websocket": sockets})
