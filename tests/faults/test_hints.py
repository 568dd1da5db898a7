"""Hints may be lost, doubled, late and in any order: nothing depends on them."""

from tests.faults.conftest import Play
from tests.faults.lossy import Weather
from tests.faults.system import System


async def test_without_any_hint_everybody_is_at_the_head_within_5_s(world: System, play: Play) -> None:
    world.weather(Weather(dropped=1.0))
    async with play("hints dropped 100 %") as round:
        await round.in_mid_stream(seconds=4)
        round.post_meanwhile()
        await round.healed()


async def test_hints_dropped_doubled_and_reordered_lose_nothing(world: System, play: Play) -> None:
    world.weather(Weather(dropped=0.3, late=0.43, doubled=0.75))  # 30 % of all each
    async with play("hints dropped, doubled, reordered 30 % each") as round:
        await round.in_mid_stream(seconds=4)
        round.post_meanwhile()
        await round.healed()
