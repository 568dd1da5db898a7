"""The broker only wakes workers: its messages may be lost, or come three times; each Run is done, and once."""

from typing import Final

from celery import Celery

from chatapp.launcher.embedded.addresses import broker_url
from tests.faults import conversations
from tests.faults.conftest import Play
from tests.faults.rounds import Round, Scale
from tests.faults.system import Person, System
from tests.support.scripts import script
from tests.support.waiting import eventually

QUEUE: Final = "agents"
FEW: Final = Scale(people=6, tabs=1, sessions=6)
ASKS: Final = script(words=4, every_ms=1, ask={"after": 2})
SAYS: Final = script(words=4, every_ms=1)
TIMES: Final = 3


async def test_a_broker_that_is_emptied_loses_no_run_that_waits(
    world: System, people: list[Person], play: Play
) -> None:
    async with play("FLUSHALL while Runs wait for a worker, and for answers", FEW) as round:
        asking, fresh = round.sessions[:3], round.sessions[3:]
        for session in asking:
            await round.post(session, ASKS, agent="script")
        await eventually(lambda: len(conversations.waiting(world, asking, on="ask")) == len(asking), blocking=True)
        world.worker.pause()
        for session, ask in conversations.open_asks(world, asking):
            await conversations.answer(world, people[0], session, ask, {})
        for session in fresh:
            await round.post(session, SAYS, agent="script")
        with world.valkey_client() as valkey:
            # One message more may be on its way to the worker that is paused.
            await eventually(lambda: valkey.llen(QUEUE) >= len(round.sessions) - 1)
            valkey.flushall()
        world.worker.go_on()
        await round.healed()


async def test_a_task_that_is_delivered_three_times_is_done_once(world: System, play: Play) -> None:
    async with play(f"each task delivered {TIMES} times: before, in and after its Run", FEW) as round:
        world.worker.pause()
        for session in round.sessions:
            await round.post(session, SAYS, agent="script")
        _deliver_again(world, round)
        world.worker.go_on()
        await round.in_mid_stream(seconds=2)
        _deliver_again(world, round)
        await round.healed()
        await round.quiet()
        _deliver_again(world, round)
        with world.valkey_client() as valkey:
            await eventually(lambda: not valkey.llen(QUEUE))
    assert {run.attempt for run in conversations.runs(world, round.sessions).values()} == {1}


def _deliver_again(world: System, round: Round) -> None:
    """Sends the task of each Run, for the second and the third time."""
    with Celery(broker=broker_url(world.redis_url)) as celery:
        for ack in round.acks:
            for _ in range(TIMES - 1):
                celery.send_task(
                    "agents.script", args=[ack.session, ack.run], task_id=ack.run, queue=QUEUE, ignore_result=True
                )
