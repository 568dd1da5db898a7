"""The channel layer of channels_redis, extended to send many messages in one round trip, and to join many groups at once.

`group_send` waits for Redis after each message. A worker that commits for eight Sessions at once sends eight hints; measured,
waiting for them one by one was half of the time from a commit to the reader. A process that follows 10,000 Sessions joins
10,000 groups.
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

    async def group_add_all(self, groups: Sequence[str], channel: str) -> None:
        """Adds the channel to each group."""
        layer = self._get_layer()
        for group in groups:
            layer.groups.setdefault(layer._get_group_channel_name(group), set()).add(channel)  # noqa: SLF001
        for shard, channels in self._by_shard(groups).items():
            async with shard._lock:  # noqa: SLF001
                new = [channel for channel in channels if channel not in shard._subscribed_to]  # noqa: SLF001
                if new:
                    shard._ensure_redis()  # noqa: SLF001
                    shard._ensure_receiver()  # noqa: SLF001
                    await shard._pubsub.subscribe(*new)  # noqa: SLF001
                    shard._subscribed_to.update(new)  # noqa: SLF001

    async def group_discard_all(self, groups: Sequence[str], channel: str) -> None:
        """Removes the channel from each group."""
        layer = self._get_layer()
        for group in groups:
            name = layer._get_group_channel_name(group)  # noqa: SLF001
            members = layer.groups.get(name, set())
            members.discard(channel)
            if not members:
                layer.groups.pop(name, None)
        for shard, channels in self._by_shard(groups).items():
            async with shard._lock:  # noqa: SLF001
                # A group that was joined again while this waited for the lock stays.
                old = [name for name in channels if name in shard._subscribed_to and name not in layer.groups]  # noqa: SLF001
                if old:
                    await shard._pubsub.unsubscribe(*old)  # noqa: SLF001
                    shard._subscribed_to.difference_update(old)  # noqa: SLF001

    def _by_shard(self, groups: Sequence[str]) -> dict[Any, list[str]]:
        """Returns the Redis channels of the groups, by the connection that carries them."""
        layer = self._get_layer()
        found: defaultdict[Any, list[str]] = defaultdict(list)
        for group in groups:
            name = layer._get_group_channel_name(group)  # noqa: SLF001
            found[layer._get_shard(name)].append(name)  # noqa: SLF001
        return found
