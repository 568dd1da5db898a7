"""Web processes that die, sleep, or are replaced: their clients go on where they were."""

import signal

import pytest

from tests.faults.conftest import Play
from tests.faults.system import System

pytestmark = pytest.mark.timeout(240)


async def test_nothing_is_lost_without_a_fault(play: Play) -> None:
    async with play("none") as round:
        await round.in_mid_stream(seconds=3)
        round.post_meanwhile()
        await round.healed()


async def test_a_killed_web_process_loses_nothing(world: System, play: Play) -> None:
    async with play("kill -9 web") as round:
        await round.in_mid_stream(seconds=8)
        world.web.kill(signal.SIGKILL)
        round.post_meanwhile()
        world.web.start()
        await world.web.ready()
        await round.healed()
