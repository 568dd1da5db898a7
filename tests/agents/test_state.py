"""`run.state`: what an agent keeps in a Session from Run to Run, saved once and only where nobody else has changed it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from agents.runner.runner import Runner
from agents.sdk import AgentRun, StateChanged, agent, tool
from agents.sdk.registry import AgentFunction
from sessions_core import bridge
from sessions_core.models import AgentState, Run
from sessions_core.protocol.events import Fact, RunCompleted, RunFailed, RunWaiting, StateSaved, StepCompleted
from sessions_core.protocol.ids import RunId
from sessions_core.services import signals, steps
from sessions_core.services.steps import STATE_BYTES
from tests.agents.facts import among
from tests.agents.harness import NAME, Harness
from tests.agents.tooled import Tooled, calls_of
from tests.db.acts import new_client_id

pytestmark = pytest.mark.django_db(transaction=True)

LAPSED: Final = "2020-01-01T00:00:00Z"


def install(function: AgentFunction) -> None:
    agent(NAME, title="Keeper", description="")(function)


async def ask(harness: Harness, function: AgentFunction) -> list[Fact]:
    install(function)
    return await harness.execute(await harness.post("hello", agent=NAME))


async def go_on(harness: Harness, run: RunId, function: AgentFunction) -> list[Fact]:
    """The Run that waits gets its signal, and a worker of another process goes on with it."""
    install(function)
    by, client_id = harness.owner, new_client_id()
    await bridge.run(signals.send, harness.session, run, "go", by=by, client_id=client_id, value=None)
    harness.runner = Runner("w2")
    return await harness.execute(run)


async def kept(harness: Harness) -> dict[str, Any]:
    return await bridge.run(steps.read_state, harness.session, NAME)


async def count(run: AgentRun) -> None:
    run.state["seen"] = run.state.get("seen", 0) + 1


async def test_the_next_run_sees_what_the_one_before_has_kept(harness: Harness) -> None:
    for _ in range(2):
        await ask(harness, count)

    log = await ask(harness, count)

    assert await kept(harness) == {"seen": 3}
    assert among(log, StateSaved) == [StateSaved(agent=NAME, size=len('{"seen":1}'))] * 3
    assert not among(log, StepCompleted)  # what an agent keeps is not for those who read the log


async def test_an_agent_that_only_looks_saves_nothing(harness: Harness) -> None:
    async def look(run: AgentRun) -> None:
        assert run.state == {}

    assert not among(await ask(harness, look), StateSaved)
    assert not await bridge.run(AgentState.objects.exists)


async def test_each_agent_has_a_state_of_its_own(harness: Harness) -> None:
    await ask(harness, count)

    assert await bridge.run(steps.read_state, harness.session, "another") == {}


async def test_what_was_changed_in_place_or_removed_is_saved_too(harness: Harness) -> None:
    async def write(run: AgentRun) -> None:
        run.state.update(notes=["milk"], draft=1, flag=True)

    async def change(run: AgentRun) -> None:
        run.state["notes"].append("tea")
        run.state["flag"] = 1
        del run.state["draft"]

    await ask(harness, write)
    await ask(harness, change)

    state = await kept(harness)
    assert state == {"notes": ["milk", "tea"], "flag": 1}
    assert state["flag"] is not True


@pytest.mark.parametrize("killed_after", range(1, 5))
async def test_a_killed_worker_costs_no_save_twice(harness: Harness, killed_after: int) -> None:
    killed, left = asyncio.Event(), [killed_after]

    async def live() -> None:
        left[0] -= 1
        if left[0] == 0:
            killed.set()
            await asyncio.Event().wait()

    async def work(run: AgentRun) -> None:
        await live()
        for _ in range(2):
            await count(run)
            await run.save_state()
            await live()
        await count(run)
        async with run.message() as message:
            await message.append("done")
        await live()

    log = await killed_and_taken_over(harness, work, killed)

    assert isinstance(log[-1], RunCompleted)
    assert await kept(harness) == {"seen": 3}
    assert len(among(log, StateSaved)) == 3


async def killed_and_taken_over(
    harness: Harness, function: Callable[[AgentRun], Awaitable[None]], killed: asyncio.Event
) -> list[Fact]:
    task = asyncio.create_task(ask(harness, function))
    await killed.wait()
    await bridge.run(lambda: Run.objects.filter(pk=harness.run).update(lease_until=LAPSED))
    first, harness.runner = harness.runner, Runner("w2")
    log = await harness.execute(harness.run)
    first.drain()
    await task
    return log


async def test_what_a_step_has_changed_is_there_when_it_is_replayed(harness: Harness) -> None:
    seen: list[list[str]] = []

    async def work(run: AgentRun) -> None:
        async def note(what: str) -> None:
            run.state.setdefault("notes", []).append(what)

        await run.step("one", note, "milk")
        await run.gather(run.step(name, note, name) for name in ("tea", "rice"))
        seen.append(list(run.state["notes"]))
        await run.wait_for("go")

    await ask(harness, work)
    await go_on(harness, harness.run, work)

    assert seen[0] == seen[1]
    assert sorted(seen[0]) == ["milk", "rice", "tea"]
    assert await kept(harness) == {"notes": seen[0]}


async def test_a_run_sees_the_state_as_it_first_looked_in_all_its_attempts(harness: Harness) -> None:
    seen: list[object] = []

    async def look(run: AgentRun) -> None:
        seen.append(run.state.get("seen"))
        await run.wait_for("go")

    await ask(harness, count)
    assert isinstance((await ask(harness, look))[-1], RunWaiting)
    waiting = harness.run
    await ask(harness, count)
    await go_on(harness, waiting, look)

    assert seen == [1, 1]


async def test_of_two_runs_that_change_the_same_the_later_one_is_told(harness: Harness) -> None:
    raised: list[StateChanged] = []

    async def count_late(run: AgentRun) -> None:
        before = run.state.get("seen", 0)
        await run.wait_for("go")
        run.state.update(seen=before + 1, own=1)
        try:
            await run.save_state()
        except StateChanged as changed:
            raised.append(changed)
            raise

    await ask(harness, count_late)
    waiting = harness.run
    await ask(harness, count)
    failed = (await go_on(harness, waiting, count_late))[-1]

    assert len(raised) == 1
    assert isinstance(failed, RunFailed)
    assert (failed.code, failed.retry) == ("state_changed", True)
    assert await kept(harness) == {"seen": 1}  # all of it or nothing


async def test_two_runs_that_change_different_things_are_not_in_each_others_way(harness: Harness) -> None:
    async def note(run: AgentRun) -> None:
        run.state["looked"] = True
        await run.wait_for("go")
        run.state["note"] = "milk"

    await ask(harness, note)
    waiting = harness.run
    await ask(harness, count)

    assert isinstance((await go_on(harness, waiting, note))[-1], RunCompleted)
    assert await kept(harness) == {"looked": True, "seen": 1, "note": "milk"}


async def test_an_update_counts_right_whoever_saves_meanwhile(harness: Harness) -> None:
    def add(state: dict[str, Any]) -> None:
        state["seen"] = state.get("seen", 0) + 1

    async def update(run: AgentRun) -> None:
        assert run.state.get("seen", 0) == 0
        await run.wait_for("go")
        await run.update_state(add)
        assert run.state == {"seen": 2}
        await run.wait_for("go")
        assert run.state == {"seen": 2}

    await ask(harness, update)
    waiting = harness.run
    await ask(harness, count)
    assert isinstance((await go_on(harness, waiting, update))[-1], RunWaiting)
    assert isinstance((await go_on(harness, waiting, update))[-1], RunCompleted)

    assert await kept(harness) == {"seen": 2}


async def test_more_than_can_be_kept_fails_with_a_sentence(harness: Harness) -> None:
    async def fill(run: AgentRun) -> None:
        run.state["much"] = "x" * (STATE_BYTES - len('{"much":""}'))

    async def overfill(run: AgentRun) -> None:
        run.state["more"] = 1

    assert isinstance((await ask(harness, fill))[-1], RunCompleted)
    failed = (await ask(harness, overfill))[-1]

    assert isinstance(failed, RunFailed)
    assert (failed.code, failed.message) == (
        "state_too_large",
        "The agent wants to keep 64.0 KiB in this conversation; at most 64 KiB can be kept.",
    )
    assert "more" not in await kept(harness)


@pytest.mark.parametrize("value", [object(), "\ud800", {1: {object()}}])
async def test_what_is_no_json_cannot_be_kept(harness: Harness, value: object) -> None:
    async def keep(run: AgentRun) -> None:
        run.state["strange"] = value

    failed = (await ask(harness, keep))[-1]

    assert isinstance(failed, RunFailed)
    assert failed.code == "bad_result"
    assert failed.message.startswith("What the agent keeps in this conversation cannot be kept")


async def test_a_run_that_was_stopped_saves_nothing_any_more(harness: Harness) -> None:
    begun = asyncio.Event()

    async def work(run: AgentRun) -> None:
        run.state["seen"] = 1
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await run.save_state()

    task = asyncio.create_task(ask(harness, work))
    await begun.wait()
    await harness.stop()
    await task

    assert await kept(harness) == {}


@tool(idempotent=True)
async def remember(run: AgentRun, what: str) -> str:
    """Remembers something."""
    run.state.setdefault("notes", []).append(what)
    return "noted"


@pytest.mark.parametrize("at", range(1, 7))
async def test_what_tools_keep_is_kept_once(tooled: Tooled, at: int) -> None:
    rounds = [calls_of("remember", what="milk"), calls_of("remember", what="tea")]
    run = await tooled.request_use(remember, rounds=rounds, words=1)
    await tooled.lose_worker(run, at, "after")

    await tooled.execute(run)

    assert await kept(tooled) == {"notes": ["milk", "tea"]}
