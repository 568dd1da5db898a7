"""A Link hears every group that it was asked to join, whenever that was."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest
from pytest_django import Settings

from sessions_core.hints.link import Link
from tests.faults.waiting import eventually


class SlowLayer:
    """A channel layer in memory. `gate` closed: joining takes its time; `hung`: joining these fails once."""

    gate: asyncio.Event
    hung: set[str]

    def __init__(self, **_: object) -> None:
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


@pytest.fixture
def heard(settings: Settings) -> list[Mapping[str, Any]]:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"{__name__}.SlowLayer"}}
    SlowLayer.gate, SlowLayer.hung = asyncio.Event(), set()
    return []


async def test_a_group_joined_while_the_link_is_built_is_heard(heard: list[Mapping[str, Any]]) -> None:
    link = Link(heard.append)
    running = asyncio.create_task(link.run())
    await asyncio.sleep(0)

    assert not await link.join("late")
    SlowLayer.gate.set()
    await eventually(lambda: link.up, within_s=5)
    link.tell("late", {"type": "hint"})

    await eventually(lambda: bool(heard), within_s=1)
    running.cancel()


async def test_a_group_that_could_not_be_joined_is_joined_by_the_next_beat(heard: list[Mapping[str, Any]]) -> None:
    SlowLayer.gate.set()
    SlowLayer.hung.add("unlucky")
    link = Link(heard.append)
    running = asyncio.create_task(link.run())
    await eventually(lambda: link.up, within_s=5)

    assert not await link.join("unlucky")

    def told() -> bool:
        link.tell("unlucky", {"type": "hint"})
        return bool(heard)

    await eventually(told, within_s=5)
    running.cancel()
