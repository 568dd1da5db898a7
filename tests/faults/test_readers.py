"""Readers that come back with an unusual cursor, or all at once."""

import asyncio
import time
from contextlib import AsyncExitStack
from uuid import uuid4

from sessions_client import Batch
from tests.faults import conversations
from tests.faults.checker import Findings, check_reader
from tests.faults.conftest import Play
from tests.faults.rounds import Round, Scale, patience_s
from tests.faults.system import Person, System
from tests.faults.tabs import Reading, Tab
from tests.faults.truth import dump
from tests.support.waiting import eventually

COMPACT = """
from datetime import timedelta
from sessions_core.services import runs
while runs.compact(delay=timedelta(0)): pass
"""
FEW = Scale(people=6, tabs=2, sessions=2)


async def test_a_cursor_ahead_of_the_head_starts_anew(world: System, people: list[Person], play: Play) -> None:
    async with play("resume with a future cursor", FEW) as round:
        await round.in_mid_stream(seconds=1)
        batches = await _resume(world, people[0], round.sessions[0], after=10**9, epoch=1)
        await round.healed()
    assert batches[0].restarted
    assert _check(world, round.sessions[0], batches) == Findings()


async def test_a_new_epoch_makes_live_and_returning_readers_start_anew(
    world: System, people: list[Person], play: Play
) -> None:
    async with play("epoch changed under live readers, old epoch resumed", FEW) as round:
        await round.in_mid_stream(seconds=3)
        await asyncio.to_thread(world.manage, "bump_epoch")
        batches = await _resume(world, people[0], round.sessions[0], after=3, epoch=1)
        await round.healed()
        await eventually(lambda: _all_started_anew(round), within_s=patience_s(), otherwise=round.behind)
    assert batches[0].restarted
    assert _check(world, round.sessions[0], batches) == Findings()


async def test_a_cursor_in_a_compacted_range_gets_the_whole_message(
    world: System, people: list[Person], play: Play
) -> None:
    async with play("resume in a compacted range", FEW) as round:
        leaving = round.tabs[0]
        session, reading = next(iter(leaving.readings.items()))
        await round.in_mid_stream(seconds=2)
        await leaving.client.close()
        round.tabs.remove(leaving)
        await round.quiet()
        await asyncio.to_thread(world.shell, COMPACT)
        batches = await _resume(world, people[0], session, after=reading.cursor, epoch=1)
        await round.healed()
    truth = dump(world.database_url, [session])[session]
    assert len(truth.rows) < truth.head
    assert _check(world, session, [*reading.batches, *batches]) == Findings()
    assert not any(batch.restarted for batch in batches)


async def test_many_clients_cut_at_once_are_back_within_5_s_from_few_reads(
    world: System,
    people: list[Person],
    play: Play,
    is_long: bool,  # noqa: FBT001
) -> None:
    clients = 1000 if is_long else 300
    scale = Scale(people=20, tabs=clients // 20, sessions=5, every_ms=1000)
    async with play(f"{clients} clients cut at once", scale) as round:
        await round.in_mid_stream(seconds=12)
        before = await asyncio.to_thread(world.reads)
        used = world.web.cpu_s(), time.process_time()
        world.front.cut()
        await round.healed(ahead=1)  # an Event that no reader has yet
        await round.all_back()
        reads = await asyncio.to_thread(world.reads) - before
        web, clients_s = world.web.cpu_s() - used[0], time.process_time() - used[1]
        round.note = f"processor time: web {web:.1f} s, clients and proxy {clients_s:.1f} s"
    # A read of the log for each client would be as many as there are clients.
    assert reads <= 10 * len(round.sessions)


async def _resume(world: System, person: Person, session: str, *, after: int, epoch: int) -> list[Batch]:
    """Returns the batches that a reader gets who comes back with that cursor, up to the present head."""
    head = (await asyncio.to_thread(conversations.heads, world, [session]))[session]
    async with AsyncExitStack() as stack:
        tab = await stack.enter_async_context(Tab(world.url, person, device=str(uuid4()), name="returning"))
        reading = tab.follow(session, after=after, epoch=epoch)
        await eventually(lambda: _is_there(reading, head), otherwise=lambda: str(tab.notes.frames[:5]))
    return reading.batches


def _is_there(reading: Reading, head: int) -> bool:
    return bool(reading.batches) and reading.cursor >= head


def _check(world: System, session: str, batches: list[Batch]) -> Findings:
    truth = dump(world.database_url, [session])[session]
    return check_reader(truth, batches, name="returning", live=False)


def _all_started_anew(round: Round) -> bool:
    return all(reading.batches[-1].epoch > 1 for tab in round.tabs for reading in tab.readings.values())
