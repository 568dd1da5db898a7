"""The ASGI application: pages and API by Django, sockets by the core."""

import os
from typing import Final

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")
_pages: Final = get_asgi_application()  # sets Django up, so it comes before what needs the models

from chatapp.pages.body_limit import BoundedBodies  # noqa: E402
from sessions_core.routing import sockets  # noqa: E402

application: Final = ProtocolTypeRouter({"http": BoundedBodies(_pages), "websocket": sockets})
