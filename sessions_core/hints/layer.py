"""The channel layer of channels_redis, extended to send many messages in one round trip.

`group_send` waits for Redis after each message. A worker that commits for eight Sessions at once sends eight hints; measured,
waiting for them one by one was half of the time from a commit to the reader.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer

from sessions_core.hints.messages import Message


class PubSubLayer(RedisPubSubChannelLayer):  # type: ignore[misc]  # it has no types
    """Uses private parts of channels_redis, which has no public way to do this. tests/ws/test_links.py fails if they change."""

    async def group_send_all(self, messages: Sequence[tuple[str, Message]]) -> None:
        """Sends each message to its group. Messages that go over the same Redis shard keep their order."""
        layer = self._get_layer()
        packed: defaultdict[Any, list[tuple[str, bytes]]] = defaultdict(list)
        for group, message in messages:
            channel = layer._get_group_channel_name(group)  # noqa: SLF001
            packed[layer._get_shard(channel)].append((channel, self.serialize(message)))  # noqa: SLF001
        for shard, sent in packed.items():
            async with shard._lock:  # noqa: SLF001
                shard._ensure_redis()  # noqa: SLF001
                pipeline = shard._redis.pipeline(transaction=False)  # noqa: SLF001
                for channel, data in sent:
                    pipeline.publish(channel, data)
                await pipeline.execute()
