"""One agent never awaits. Its worker is ended, its Run fails, and the others go on."""

import pytest

from tests.faults import conversations
from tests.faults.conftest import Play
from tests.faults.system import Person, System
from tests.support.waiting import eventually


@pytest.mark.parametrize("how", ["loop", "sleep", "regex"])
async def test_an_agent_that_blocks_the_loop_ends_alone(
    world: System, people: list[Person], play: Play, how: str, *, is_long: bool
) -> None:
    if how != "regex" and not is_long:
        pytest.skip("played in long rounds; the call that keeps the GIL is the hardest of the three")
    [session] = await conversations.create(world, people[:1], count=1)
    async with play(f"an agent blocks the loop: {how}") as round:
        await round.in_mid_stream(seconds=4, in_life=40)
        run = await conversations.ask(world, people[0], session, how, agent="blocks")
        await world.worker.ended()
        world.worker.start()
        await world.worker.ready()
        round.post_meanwhile()
        await round.healed()
        await eventually(lambda: not conversations.active(world, [session]), blocking=True)

    assert _error_code(world, run) == "agent_blocked"
    assert "tests/faults/catalogue/blocks.py, line" in world.worker.log.read_text()


def _error_code(world: System, run: str) -> str:
    with world.connect() as connection:
        row = connection.execute("SELECT data->>'code' FROM event WHERE run_id = %s AND kind = 'run.failed'", [run])
        found = row.fetchone()
    return str(found and found[0])
