"""Web processes that die, pause or are replaced: their clients go on where they were."""

import signal

import pytest

from tests.faults.conftest import Play
from tests.faults.rounds import Round
from tests.faults.system import System
from tests.support.waiting import eventually

SERVICE_RESTART = 1012


async def test_without_a_fault_nothing_is_wrong(play: Play) -> None:
    async with play("none") as round:
        await round.in_mid_stream(seconds=3)
        round.post_meanwhile()
        await round.healed()


async def test_a_killed_web_process_loses_nothing(world: System, play: Play) -> None:
    async with play("kill -9 web") as round:
        await round.in_mid_stream(seconds=6)
        world.web.kill(signal.SIGKILL)
        round.post_meanwhile()
        world.web.start()
        await world.web.ready()
        await round.healed()


async def test_a_web_process_that_sleeps_loses_nothing(world: System, play: Play) -> None:
    async with play("SIGSTOP web") as round:
        await round.in_mid_stream(seconds=6, in_life=40)
        world.web.pause()
        round.post_meanwhile()
        await round.lasts(4, in_life=30)
        world.web.go_on()
        await round.healed()


@pytest.mark.usefixtures("second_web")
async def test_sigterm_sends_everybody_to_the_other_process(world: System, play: Play) -> None:
    leaving, staying = world.webs
    async with play("SIGTERM web, two processes") as round:
        await round.in_mid_stream(seconds=6)
        world.front.upstream = ("127.0.0.1", int(staying.environment["PORT"]))
        leaving.send(signal.SIGTERM)
        round.post_meanwhile()
        status = await leaving.ended()
        await round.healed()
        await eventually(lambda: _all_moved(round), otherwise=round.behind)

        assert {code for tab in round.tabs for code in tab.notes.codes} == {SERVICE_RESTART}
    assert status in {0, -signal.SIGTERM}, leaving.tail()  # uvicorn raises the signal once more when it is done


def _all_moved(round: Round) -> bool:
    return all(tab.notes.codes and tab.client.is_connected for tab in round.tabs)
