"""Two people do something in the same millisecond, and only one can be first: the other learns it, and nothing is lost."""

import asyncio
import random
from collections.abc import Iterable
from functools import partial
from typing import Final

import pytest

from tests.faults import conversations
from tests.faults.conftest import Play
from tests.faults.promises import Ack, say
from tests.faults.rounds import ALL, Round, Scale
from tests.faults.system import Person, System
from tests.faults.truth import TERMINAL, Truth, dump
from tests.support.scripts import script
from tests.support.waiting import eventually

FEW: Final = Scale(people=6, tabs=1, sessions=3)
ASKS: Final = script(words=4, every_ms=1, ask={"after": 2, "schema": {"type": "integer"}})
WORDS: Final = 2
ENDS: Final = script(words=WORDS, every_ms=1, wait_at=WORDS)
STEER: Final = script(words=3, every_ms=1)
OK, CONFLICT = 200, 409
ROUNDS_LONG: Final = 20
JITTER_S: Final = 0.05  # from the last word to the end, and more


@pytest.mark.usefixtures("second_web")
async def test_of_two_answers_through_two_web_processes_one_counts(
    world: System, people: list[Person], play: Play, *, is_long: bool
) -> None:
    async with play("two answers to one ask in the same millisecond, through two web processes", FEW) as round:
        statuses, winners = [], dict[str, int]()
        for _ in range(ROUNDS_LONG // 4 if is_long else 1):
            for session in round.sessions:
                run = (await round.post(session, ASKS, agent="script")).run or ""
                await eventually(partial(conversations.waiting, world, [session], on="ask"), blocking=True)
                [(_, ask)] = conversations.open_asks(world, [session])
                async with conversations.held_up(world, run) as behind:
                    answering = [
                        asyncio.create_task(conversations.answer(world, people[n], session, ask, n, web=n))
                        for n in range(2)
                    ]
                    await behind(*world.webs)
                answers = await asyncio.gather(*answering)
                statuses.append(sorted(answers))
                winners[run] = answers.index(OK)
        await round.healed()
    assert statuses == [[OK, CONFLICT]] * len(winners)
    said = _said(dump(world.database_url, round.sessions).values())
    assert {run: said[run] for run in winners} == {run: f"w1 w2 answered {n} w3 w4" for run, n in winners.items()}


@pytest.mark.parametrize("first", ["steer", "end"])
async def test_a_steer_in_the_last_moment_of_a_run_is_answered_once(world: System, play: Play, first: str) -> None:
    async with play(f"a steer in the last millisecond of a Run, the {first} first", FEW) as round:
        steers = [await _steer_at_the_end(world, round, session, first=first) for session in round.sessions]
        await round.healed()
    truths = dump(world.database_url, round.sessions)
    answers = {ack.session: _answers(truths[ack.session], ack) for ack in steers}
    assert list(answers.values()) == [["run.completed"]] * len(steers)
    assert {ack.run is None for ack in steers} == {first == "steer"}


async def test_steers_around_the_end_of_runs_are_all_there_once(world: System, play: Play, *, is_long: bool) -> None:
    if not is_long:
        pytest.skip("played in long rounds; the moments are random")
    async with play("steers at random moments around the end of Runs", FEW) as round:
        for n in range(ROUNDS_LONG):
            order = script(words=WORDS, every_ms=1, wait_at=WORDS, until_steered=bool(n % 2))
            await asyncio.gather(*(_steer_around_the_end(world, round, session, order) for session in round.sessions))
            await round.quiet()
        await round.healed()


async def _steer_around_the_end(world: System, round: Round, session: str, order: str) -> None:
    """Posts steers from two people while the Run comes to its end, at random moments."""
    await _at_the_last_word(world, round, session, order)
    world.allow(session, ALL)
    await asyncio.gather(*(_later(random.uniform(0, JITTER_S), round, session, tab) for tab in range(2)))


async def _later(seconds: float, round: Round, session: str, tab: int) -> None:
    await asyncio.sleep(seconds)
    await round.post(session, STEER, agent="script", policy="steer", n=tab)


async def _steer_at_the_end(world: System, round: Round, session: str, *, first: str) -> Ack:
    """Posts a steer while the end of the Run is being written. Both wait for the Run's row, the `first` before the other."""
    run = await _at_the_last_word(world, round, session, ENDS)
    async with conversations.held_up(world, run) as behind:
        if first == "end":
            world.allow(session, ALL)
            await behind(world.worker)
        steering = asyncio.create_task(round.post(session, STEER, agent="script", policy="steer"))
        await behind(world.web)
        if first == "steer":
            world.allow(session, ALL)
            await behind(world.worker)
    return await steering


async def _at_the_last_word(world: System, round: Round, session: str, order: str) -> str:
    """Posts the script and waits until it has said its words, and waits in its turn; returns its Run."""
    world.allow(session, 0)
    run = (await round.post(session, order, agent="script")).run or ""
    await eventually(lambda: conversations.said(world, run) == say(WORDS), blocking=True)
    return run


def _answers(truth: Truth, ack: Ack) -> list[str]:
    """Returns the ends of the Runs that were requested for this post."""
    runs = {
        row.data["run"] for row in truth.facts if row.kind == "run.requested" and row.data["replies_to"] == ack.message
    }
    return [row.kind for row in truth.facts if row.kind in TERMINAL and row.run in runs]


def _said(truths: Iterable[Truth]) -> dict[str | None, str]:
    """Returns what each Run has said in its completed Messages."""
    ended = [row for truth in truths for row in truth.facts if row.kind == "message.completed"]
    return {row.run: "".join(part["text"] for part in row.data["parts"]) for row in ended}
