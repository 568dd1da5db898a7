"""One Run cannot be ended, or kills its worker whenever it is started. It ends all the same, and the others go on."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec
import pytest

from sessions_core.services.runs import ATTEMPTS
from tests.faults import conversations
from tests.faults.conftest import Play
from tests.faults.rounds import Scale
from tests.faults.system import Person, System
from tests.support.waiting import POLL_S, eventually

ONE_WORD: Final = msgspec.json.encode({"words": 2, "every_ms": 1, "wait_at": 1}).decode()

FEW: Final = Scale(people=6, tabs=1, sessions=3)


@pytest.mark.usefixtures("second_worker")
async def test_a_run_that_cannot_be_ended_harms_no_other(world: System, people: list[Person], play: Play) -> None:
    [session] = await conversations.create(world, people[:1], count=1)
    run = await conversations.ask(world, people[0], session, ONE_WORD, agent="script")
    await eventually(lambda: _poison(world, run), blocking=True)
    async with play("a Run that cannot be ended; kill -9 worker") as round:
        await round.in_mid_stream(seconds=3, in_life=30)
        await round.loses(world.worker)
        world.worker.kill(signal.SIGKILL)
        round.post_meanwhile()
        await round.taken_over(world.worker)
        await eventually(lambda: not conversations.active(world, [session]), blocking=True)
        await round.healed()

    assert _state(world, run) == "interrupted"
    logs = [worker.log.read_text() for worker in world.workers[:2]]  # the first one does it if it lives for so long
    assert any("ends without its open Messages" in log for log in logs)


@pytest.mark.usefixtures("second_worker")
async def test_a_run_that_kills_its_worker_each_time_harms_no_other(
    world: System, people: list[Person], play: Play
) -> None:
    [session] = await conversations.create(world, people[:1], count=1)
    async with play("a Run that kills its worker each time", FEW) as round, _started_again(world):
        await round.in_mid_stream(seconds=3, in_life=30)
        round.sessions.append(session)
        run = await conversations.ask(world, people[0], session, "kill", agent="poison")
        await eventually(lambda: not conversations.active(world, [session]), blocking=True)
        poison = conversations.runs(world, [session])[run]
        await round.healed()
        await round.quiet()
        others = [each for each in conversations.runs(world, round.sessions).values() if each.id != run]
        round.note = f"attempts of the others: {sorted(each.attempt for each in others)}"

    assert (poison.state, poison.attempt) == ("interrupted", ATTEMPTS)
    assert {each.state for each in others} == {"completed"}


@asynccontextmanager
async def _started_again(world: System) -> AsyncIterator[None]:
    """Starts each worker again that has ended, as `manage.py up` does."""

    async def go_on() -> None:
        while True:
            for worker in world.workers:
                if not worker.is_running:
                    worker.start()
            await asyncio.sleep(POLL_S)

    starting = asyncio.create_task(go_on())
    try:
        yield
    finally:
        starting.cancel()
        await asyncio.wait([starting])


def _poison(system: System, run: str) -> bool:
    """Makes the Run's text unreadable and uses its attempts up. False: it has said nothing yet."""
    with system.connect() as connection:
        spoilt = connection.execute(
            """UPDATE event SET data = '{"not": "a delta"}' WHERE run_id = %s AND kind = 'message.delta'""", [run]
        )
        if not spoilt.rowcount:
            return False
        connection.execute("UPDATE run SET attempt = %s, fence = %s WHERE id = %s", [ATTEMPTS, ATTEMPTS, run])
    return True


def _state(system: System, run: str) -> str:
    with system.connect() as connection:
        row = connection.execute("SELECT state FROM run WHERE id = %s", [run]).fetchone()
    return str(row and row[0])
