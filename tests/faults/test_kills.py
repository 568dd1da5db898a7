"""kill -9 of a worker whose Runs are in the middle of all that a Run can do: nothing that was done is done again (P8, P9)."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import uuid4

import msgspec
import pytest

from sessions_core.services.runs import ATTEMPTS
from tests.faults import conversations
from tests.faults.conftest import Play
from tests.faults.rounds import ALL, Round, Scale
from tests.faults.system import Person, System
from tests.support.fake_provider import Provider
from tests.support.waiting import eventually

NEVER: Final = '{"words": 1, "wait_at": 0}'  # what a step asks of the provider, to be held up in the middle
SHORT_SLEEP_S, LONG_SLEEP_S = 2.9, 6.0  # the first is slept in the worker, the second without one
FEW: Final = Scale(people=5, tabs=1, sessions=5)
# The long round.
BATCHES: Final = 5  # of Runs, each killed as often as it may be
BETWEEN_KILLS_S: Final = 8.0  # at most


async def test_a_killed_worker_repeats_no_step_and_no_model_call(
    world: System, people: list[Person], play: Play, provider: Provider
) -> None:
    async with play("kill -9 worker in a step, a model call, an ask and two sleeps", FEW) as round:
        round.provider = provider
        in_step, in_model, in_ask, in_sleep, in_nap = round.sessions
        step, model, ask, sleep, nap = (
            await _begin(round, in_step, step=NEVER),
            await _begin(round, in_model, words=20, wait_at=10),
            await _begin(round, in_ask),
            await _begin(round, in_sleep, sleep_s=LONG_SLEEP_S),
            await _begin(round, in_nap, sleep_s=SHORT_SLEEP_S),
        )
        async with _answered(world, people, [in_sleep]):
            await eventually(
                lambda: conversations.waiting(world, [in_sleep], on="sleep"), otherwise=round.unfinished, blocking=True
            )
        await eventually(
            lambda: conversations.waiting(world, [in_ask], on="ask"), otherwise=round.unfinished, blocking=True
        )
        await eventually(lambda: any(seen.chunks >= 10 for seen in provider.seen), otherwise=round.unfinished)
        await eventually(lambda: any(step in seen.key for seen in provider.seen), otherwise=round.unfinished)
        async with _answered(world, people, [in_nap]):
            await eventually(
                lambda: "sleep-1" in conversations.begun_steps(world, nap), otherwise=round.unfinished, blocking=True
            )

        await round.loses(world.worker)
        world.worker.kill(signal.SIGKILL)
        provider.allow_all(ALL)
        world.worker.start()
        await world.worker.ready()
        async with _answered(world, people, round.sessions):
            await round.healed()
            await round.quiet()
        ended = conversations.runs(world, round.sessions)
    assert {(run.state, run.error_code) for run in ended.values()} == {("completed", "")}, world.worker.tail()
    attempts = {
        name: ended[run].attempt for name, run in (("step", step), ("model", model), ("ask", ask), ("sleep", sleep))
    }
    assert attempts == {"step": 2, "model": 2, "ask": 1, "sleep": 1}


async def test_kills_at_random_moments_repeat_nothing(
    world: System, people: list[Person], play: Play, provider: Provider, *, is_long: bool
) -> None:
    if not is_long:
        pytest.skip("played in long rounds; it takes minutes")
    async with play("kill -9 worker at random moments", Scale(people=20, tabs=1, sessions=20)) as round:
        round.provider = provider
        async with _answered(world, people, round.sessions):
            for _ in range(BATCHES):
                for session in round.sessions:
                    await _begin(round, session, laps=2, words=40, every_ms=50, sleep_s=random.choice((0.5, 2.0, 4.0)))
                for _ in range(ATTEMPTS - 1):
                    await asyncio.sleep(random.uniform(0, BETWEEN_KILLS_S))
                    await round.loses(world.worker)
                    world.worker.kill(signal.SIGKILL)
                    world.worker.start()
                    await world.worker.ready()
                await round.quiet()
            await round.healed()
        ended = conversations.runs(world, round.sessions).values()
        round.note = f"{BATCHES * (ATTEMPTS - 1)} kills of {len(ended)} Runs"
    assert {(run.state, run.error_code) for run in ended} == {("completed", "")}


async def _begin(round: Round, session: str, **order: object) -> str:
    """Posts a tour (tests/faults/catalogue/tour.py) that no other prompt is like; returns its Run."""
    text = msgspec.json.encode({"words": 3, "every_ms": 1, "id": str(uuid4()), **order}).decode()
    return (await round.post(session, text, agent="tour")).run or ""


@asynccontextmanager
async def _answered(world: System, people: list[Person], sessions: list[str]) -> AsyncIterator[None]:
    """Answers every question of these Sessions in the meantime, with 7."""

    async def go_on() -> None:
        while True:
            for session, ask in await asyncio.to_thread(conversations.open_asks, world, sessions):
                await conversations.answer(world, people[0], session, ask, 7)
            await asyncio.sleep(0.05)

    answering = asyncio.create_task(go_on())
    try:
        yield
    finally:
        answering.cancel()
        await asyncio.wait([answering])
