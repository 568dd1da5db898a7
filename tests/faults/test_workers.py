"""Workers that die, pause or lose the database: another goes on with their Runs, and a dead attempt writes nothing (P6, P8)."""

import asyncio
import signal
import time
from typing import Final

import pytest
from django.conf import settings

from tests.faults import conversations
from tests.faults.conftest import Play
from tests.faults.rounds import Scale
from tests.faults.system import System

second_worker = pytest.mark.usefixtures("second_worker")
BUSY: Final = Scale(people=20, tabs=1, sessions=20)
MANY: Final = Scale(people=20, tabs=1, sessions=100, stretch=3.0)
LEAVES_S: Final = 30.0  # as promised


@second_worker
async def test_the_runs_of_a_killed_worker_go_on(world: System, play: Play) -> None:
    async with play("kill -9 worker") as round:
        await round.in_mid_stream(seconds=3)
        await round.loses(world.worker)
        world.worker.kill(signal.SIGKILL)
        round.post_meanwhile()
        await round.healed()


@second_worker
async def test_a_worker_that_slept_past_its_lease_writes_nothing_more(world: System, play: Play) -> None:
    async with play("SIGSTOP worker beyond its lease") as round:
        await round.in_mid_stream(seconds=4, in_life=40)
        await round.loses(world.worker)
        world.worker.pause()
        round.post_meanwhile()
        await round.lasts(0, in_life=30)
        await round.taken_over(world.worker)
        world.worker.go_on()
        await round.healed()


@second_worker
async def test_a_stopped_worker_hands_its_runs_over(world: System, play: Play) -> None:
    async with play("SIGTERM worker, two of them") as round:
        await round.in_mid_stream(seconds=4)
        world.worker.send(signal.SIGTERM)
        round.post_meanwhile()
        status = await world.worker.ended()
        await round.healed()
    assert status == 0, world.worker.tail()


@second_worker
async def test_a_worker_that_is_stopped_under_load_hands_all_its_runs_over(
    world: System, play: Play, *, is_long: bool
) -> None:
    async with play("SIGTERM worker under load", MANY if is_long else BUSY) as round:
        await round.in_mid_stream(seconds=3, in_life=20)
        round.post_meanwhile()
        began = time.monotonic()
        world.worker.send(signal.SIGTERM)
        round.post_meanwhile()
        status = await world.worker.ended()
        took_s = time.monotonic() - began
        round.post_meanwhile()
        await round.healed()
        await round.quiet()
        ended = conversations.runs(world, round.sessions).values()
        handed_back = sum(run.handed_back for run in ended)
        round.note = f"gone after {took_s:.1f} s, {handed_back} Runs handed over"
    assert status == 0, world.worker.tail()
    assert took_s < LEAVES_S
    assert handed_back
    assert {(run.state, run.attempt - run.handed_back) for run in ended} == {("completed", 1)}


@second_worker
async def test_a_worker_cut_off_from_the_database_writes_nothing_when_it_is_back(world: System, play: Play) -> None:
    async with play("one worker–database black-holed beyond the lease") as round:
        await round.in_mid_stream(seconds=4, in_life=40)
        await round.loses(world.worker)
        world.worker_databases[0].stall()
        round.post_meanwhile()
        await round.lasts(0, in_life=30)
        await round.taken_over(world.worker)
        world.worker_databases[0].heal()
        await round.healed()


async def test_a_pause_of_the_database_beyond_the_lease_restarts_no_run(world: System, play: Play) -> None:
    async with play("worker–database stalled beyond the lease, no other worker") as round:
        await round.in_mid_stream(seconds=4, in_life=20)
        world.worker_databases[0].stall()
        await asyncio.sleep(settings.LEASE_S + 1)  # the leases lapse
        world.worker_databases[0].heal()
        await round.healed()
    assert conversations.attempts(world, round.sessions) == {1}


async def test_all_workers_without_the_database_go_on_when_it_is_back(world: System, play: Play) -> None:
    async with play("every worker–database refused with RST") as round:
        await round.in_mid_stream(seconds=3, in_life=30)
        world.worker_databases[0].refuse()
        round.post_meanwhile()
        await round.lasts(2, in_life=20)
        world.worker_databases[0].heal()
        await round.healed()


@second_worker
async def test_a_worker_that_is_stopped_while_its_database_is_silent_leaves_all_the_same(
    world: System, play: Play, *, is_long: bool
) -> None:
    if not is_long:
        pytest.skip("played in long rounds; it takes 25 s to give up")
    async with play("SIGTERM worker, cut off from the database") as round:
        await round.in_mid_stream(seconds=4, in_life=40)
        world.worker_databases[0].stall()
        world.worker.send(signal.SIGTERM)
        await world.worker.ended()
        await round.taken_over(world.worker)
        world.worker_databases[0].heal()
        await round.healed()
