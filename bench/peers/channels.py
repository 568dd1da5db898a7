"""The plain Channels pattern: a consumer joins the group and encodes JSON for each socket. The server is the same as ours.

`python -m bench.peers.channels PORT` with REDIS_URL in the environment. The layer is Pub/Sub, the faster of the two.
"""

import os
import sys
from typing import Any

import django
import uvicorn
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path

LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [os.environ["REDIS_URL"]], "prefix": "peer"},
    },
}


class Member(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # Channels has no types
    """A socket that is a member of one group, as in Channels' tutorial."""

    async def connect(self) -> None:
        self.stream = self.scope["url_route"]["kwargs"]["stream"]
        await self.channel_layer.group_add(self.stream, self.channel_name)
        await self.accept()
        await self.send_json({"type": "joined"})

    async def stream_delta(self, message: dict[str, Any]) -> None:
        await self.send_json({"text": message["text"], "pad": message["pad"]})


def configure() -> None:
    settings.configure(CHANNEL_LAYERS=LAYERS, INSTALLED_APPS=["channels"], SECRET_KEY="of no use")
    django.setup()


if __name__ == "__main__":
    configure()
    application = ProtocolTypeRouter({"websocket": URLRouter([path("<str:stream>/", Member.as_asgi())])})
    uvicorn.run(
        application,
        port=int(sys.argv[1]),
        loop="uvloop",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        lifespan="off",
        log_level="warning",
    )
