"""Valkey carries only hints: whatever happens to it, everybody sees every Event, and every Run ends."""

import signal

from tests.faults.conftest import Play
from tests.faults.system import System


async def test_a_killed_valkey_that_comes_back_empty_loses_nothing(world: System, play: Play) -> None:
    async with play("kill -9 Valkey, back empty") as round:
        await round.in_mid_stream(seconds=6)
        world.valkey.kill(signal.SIGKILL)
        round.post_meanwhile()
        await round.lasts(1)
        world.valkey.start()
        await world.valkey.ready()
        await round.healed()


async def test_an_emptied_valkey_loses_nothing(world: System, play: Play) -> None:
    async with play("FLUSHALL") as round:
        await round.in_mid_stream(seconds=3)
        round.post_meanwhile()
        with world.valkey_client() as valkey:
            valkey.flushall()
        await round.healed()


async def test_a_valkey_that_sleeps_loses_nothing(world: System, play: Play) -> None:
    async with play("SIGSTOP Valkey") as round:
        await round.in_mid_stream(seconds=6, in_life=40)
        world.valkey.pause()
        round.post_meanwhile()
        await round.lasts(4, in_life=30)
        world.valkey.go_on()
        await round.healed()


async def test_a_black_hole_on_every_path_to_valkey_loses_nothing(world: System, play: Play) -> None:
    async with play("all paths to Valkey black-holed") as round:
        await round.in_mid_stream(seconds=6, in_life=40)
        for path in (world.web_valkey, world.worker_valkey):
            path.stall()
        round.post_meanwhile()
        await round.lasts(4, in_life=30)
        for path in (world.web_valkey, world.worker_valkey):
            path.heal()
        await round.healed()


async def test_killed_subscriptions_of_valkey_lose_nothing(world: System, play: Play) -> None:
    async with play("CLIENT KILL TYPE pubsub") as round:
        await round.in_mid_stream(seconds=4)
        with world.valkey_client() as valkey:
            killed = valkey.client_kill_filter(_type="pubsub")
        round.post_meanwhile()
        await round.healed()
    assert killed


async def test_stop_reaches_the_workers_without_valkey(world: System, play: Play) -> None:
    async with play("Stop while Valkey is black-holed") as round:
        await round.in_mid_stream(seconds=30)
        for path in (world.web_valkey, world.worker_valkey):
            path.stall()
        await round.stop_all()
        for path in (world.web_valkey, world.worker_valkey):
            path.heal()
        await round.healed()
