"""One Run cannot be ended, because its log cannot be read. The sweep ends it all the same, and hands the others over."""

import signal
from typing import Final

import msgspec
import pytest

from sessions_core.services.runs import ATTEMPTS
from tests.faults import conversations
from tests.faults.conftest import Play
from tests.faults.system import Person, System
from tests.support.waiting import eventually

ONE_WORD: Final = msgspec.json.encode({"words": 2, "every_ms": 1, "wait_at": 1}).decode()


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
    assert "ends without its open Messages" in world.workers[1].log.read_text()


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
