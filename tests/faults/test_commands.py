"""A post has one effect, however often it is sent, from wherever (P5)."""

import asyncio
from contextlib import AsyncExitStack
from uuid import uuid4

from tests.faults import conversations
from tests.faults.conftest import Play
from tests.faults.rounds import Scale
from tests.faults.system import Person, System
from tests.faults.tabs import Tab
from tests.support.proxy import Proxy, Way
from tests.support.waiting import eventually

FEW = Scale(people=6, tabs=2, sessions=2)


async def test_the_same_post_sent_twice_is_there_once(play: Play) -> None:
    async with play("the same post sent twice", FEW) as round:
        tab, session = round.tabs[0], next(iter(round.tabs[0].readings))
        key = str(uuid4())
        first = await tab.say(session, words=5, every_ms=1, id=key)
        second = await tab.say(session, words=5, every_ms=1, id=key)
        round.acks += [first, second]
        await round.healed()
    assert first == second


async def test_the_same_post_from_many_devices_at_once_is_there_once(
    world: System, people: list[Person], play: Play
) -> None:
    async with play("the same post from many devices at once", FEW) as round, AsyncExitStack() as stack:
        session = round.sessions[0]
        devices = [Tab(world.url, people[0], device=str(uuid4()), name=f"device {n}") for n in range(6)]
        for device in devices:
            await stack.enter_async_context(device)
            await device.client.ready()
        key = str(uuid4())
        acks = await asyncio.gather(*(device.say(session, words=5, every_ms=1, id=key) for device in devices))
        round.acks += acks
        await round.healed()
    assert len({(ack.seq, ack.message, ack.run) for ack in acks}) == 1


async def test_a_post_whose_answer_was_lost_is_there_once(world: System, people: list[Person], play: Play) -> None:
    with Proxy(world.front.upstream) as path:
        async with play("post retried after a lost answer", FEW) as round:
            session = round.sessions[0]
            url = f"ws://127.0.0.1:{path.port}/ws/"
            async with Tab(url, people[0], device=str(uuid4()), name="unlucky") as tab:
                await tab.client.ready()
                path.stall(Way.TO_CLIENT)
                before = conversations.heads(world, [session])[session]
                saying = asyncio.create_task(tab.say(session, words=5, every_ms=1))
                await eventually(lambda: conversations.heads(world, [session])[session] > before, blocking=True)
                assert not saying.done()
                path.cut()
                path.heal()
                round.acks.append(await saying)
            await round.healed()
