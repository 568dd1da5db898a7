"""The paths of the web process, each cut in one direction and in both: bytes vanish, or connections end with a RST."""

import pytest

from tests.faults.conftest import Play
from tests.faults.system import System
from tests.support.proxy import Proxy, Way

ways = pytest.mark.parametrize("way", [Way.TO_SERVER, Way.TO_CLIENT, Way.BOTH], ids=["there", "back", "both"])
NAMES = {Way.TO_SERVER: "one way, there", Way.TO_CLIENT: "one way, back", Way.BOTH: "both ways"}


@ways
async def test_a_black_hole_between_web_and_database_loses_nothing(world: System, play: Play, way: Way) -> None:
    await _black_hole(play, world.web_database, f"web–database cut {NAMES[way]}", way)


@ways
async def test_a_black_hole_between_web_and_valkey_loses_nothing(world: System, play: Play, way: Way) -> None:
    await _black_hole(play, world.web_valkey, f"web–Valkey cut {NAMES[way]}", way)


async def test_a_database_that_refuses_the_web_process_loses_nothing(world: System, play: Play) -> None:
    await _refusal(play, world.web_database, "web–database refused with RST")


async def test_a_valkey_that_refuses_the_web_process_loses_nothing(world: System, play: Play) -> None:
    await _refusal(play, world.web_valkey, "web–Valkey refused with RST")


async def _black_hole(play: Play, path: Proxy, fault: str, way: Way) -> None:
    async with play(fault) as round:
        await round.in_mid_stream(seconds=5, in_life=30)
        path.stall(way)
        round.post_meanwhile()
        await round.lasts(3, in_life=20)
        path.heal()
        await round.healed()


async def _refusal(play: Play, path: Proxy, fault: str) -> None:
    async with play(fault) as round:
        await round.in_mid_stream(seconds=5, in_life=30)
        path.refuse()
        round.post_meanwhile()
        await round.lasts(3, in_life=20)
        path.heal()
        await round.healed()
