"""A HintListener receives from every group that it was asked to join, whenever that was."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from pytest_django import Settings

from sessions_core.hints.listener import BATCH, HintListener
from tests.support.waiting import eventually


class SlowLayer:
    """A channel layer in memory. `gate` closed: joining takes its time; `hung`: joining these fails once."""

    gate: asyncio.Event
    hung: set[str]
    newest: "SlowLayer"

    def __init__(self, **_: object) -> None:
        type(self).newest = self
        self._members: defaultdict[str, set[str]] = defaultdict(set)
        self._queue: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()

    async def new_channel(self) -> str:
        return "channel"

    async def receive(self, _channel: str) -> Mapping[str, Any]:
        return await self._queue.get()

    async def group_add(self, group: str, channel: str) -> None:
        await self.gate.wait()
        if group in self.hung:
            self.hung.remove(group)
            raise TimeoutError
        self._members[group].add(channel)

    async def group_discard(self, group: str, channel: str) -> None:
        self._members[group].discard(channel)

    async def group_send(self, group: str, message: Mapping[str, Any]) -> None:
        if self._members[group]:
            self._queue.put_nowait(message)

    async def flush(self) -> None:
        self._members.clear()


class GenerousLayer(SlowLayer):
    """Joins and leaves many groups in one round trip."""

    round_trips = 0

    async def group_add_all(self, groups: Sequence[str], channel: str) -> None:
        type(self).round_trips += 1
        for group in groups:
            await self.group_add(group, channel)

    async def group_discard_all(self, groups: Sequence[str], channel: str) -> None:
        for group in groups:
            await self.group_discard(group, channel)


@pytest.fixture
def received(settings: Settings) -> list[Mapping[str, Any]]:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"{__name__}.SlowLayer"}}
    SlowLayer.gate, SlowLayer.hung = asyncio.Event(), set()
    return []


async def test_a_group_joined_while_the_connection_is_made_is_heard(received: list[Mapping[str, Any]]) -> None:
    listener = HintListener(received.append)
    running = asyncio.create_task(listener.run())
    await asyncio.sleep(0)

    assert not await listener.join("late")
    SlowLayer.gate.set()
    await eventually(lambda: listener.up)
    await SlowLayer.newest.group_send("late", {"type": "hint"})

    await eventually(lambda: bool(received))
    running.cancel()


async def test_a_group_that_could_not_be_joined_is_joined_by_the_next_heartbeat(
    received: list[Mapping[str, Any]],
) -> None:
    SlowLayer.gate.set()
    SlowLayer.hung.add("unlucky")
    listener = HintListener(received.append)
    running = asyncio.create_task(listener.run())
    await eventually(lambda: listener.up)

    await listener.join("unlucky")  # whether the next heartbeat comes before it gives up is a matter of luck

    await eventually(lambda: "channel" in SlowLayer.newest._members["unlucky"])
    await SlowLayer.newest.group_send("unlucky", {"type": "hint"})
    await eventually(lambda: bool(received))
    running.cancel()


async def test_many_groups_are_joined_in_few_round_trips_and_each_is_probed(
    settings: Settings, received: list[Mapping[str, Any]]
) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"{__name__}.GenerousLayer"}}
    SlowLayer.gate.set()
    listener = HintListener(received.append)
    running = asyncio.create_task(listener.run())
    await eventually(lambda: listener.up)
    before, groups = GenerousLayer.round_trips, [f"group {n % 1_000}" for n in range(2_000)]

    await asyncio.gather(*map(listener.join, groups))

    await eventually(lambda: set(groups) <= listener._joined)
    assert GenerousLayer.round_trips - before <= 3 * 1_000 / BATCH  # a heartbeat may join some of them, too
    await eventually(lambda: not listener._probes)
    running.cancel()


async def test_a_group_that_was_left_is_heard_no_more_and_may_be_joined_again(
    received: list[Mapping[str, Any]],
) -> None:
    SlowLayer.gate.set()
    listener = HintListener(received.append)
    running = asyncio.create_task(listener.run())
    await eventually(lambda: listener.up)
    assert await listener.join("left")

    listener.leave("left")
    await eventually(lambda: not SlowLayer.newest._members["left"])

    assert await listener.join("left")
    assert SlowLayer.newest._members["left"] == {"channel"}
    running.cancel()
