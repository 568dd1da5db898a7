"""A later attempt comes to the same place by the same way. Nothing new comes earlier, and nothing is shown again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from agents.sdk import AgentFailed, AgentRun, tool
from sessions_core import bridge
from sessions_core.models import Ask, Run
from sessions_core.protocol.events import (
    Fact,
    MessageCompleted,
    RunCompleted,
    RunProgressed,
    RunRestarted,
    RunSteered,
    StepCompleted,
    ToolProgressed,
    ToolReturned,
)
from sessions_core.protocol.ids import AskId
from sessions_core.services import runs
from tests.agents.facts import among, text
from tests.agents.harness import LONG_AGO, Harness
from tests.agents.scripted_model import model_that_calls

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")


def texts(log: list[Fact]) -> list[str]:
    """Of the Messages that are complete."""
    return [text(fact) for fact in among(log, MessageCompleted)]


# Steers


async def test_a_steer_that_comes_before_the_replay_is_over_is_given_after_it(harness: Harness) -> None:
    taken: list[list[str]] = []

    async def agent(run: AgentRun) -> None:
        taken.append([steer.text for steer in await run.steers()])
        if run.attempt == 1 and not run.is_resumed:
            await harness.steer("first")
        taken.append([steer.text for steer in await run.steers()])
        await run.ask(["yes"], "Shall I?")
        taken.append([steer.text for steer in await run.steers()])

    await harness.ask(agent)
    assert taken == [[], ["first"]]
    await harness.answer_ask("yes")
    await harness.steer("second")
    log = await harness.go_on()

    assert taken[2:] == [[], ["first"], ["second"]]
    assert [fact.consumed for fact in among(log, RunSteered)] == [True, True]


async def test_a_steer_that_comes_while_an_agent_waits_is_given_where_it_waits(harness: Harness) -> None:
    taken: list[list[str]] = []

    async def agent(run: AgentRun) -> None:
        taken.append([steer.text for steer in await run.steers()])
        async with run.message() as message:
            await message.append("Shall I?")
            await run.ask(["yes"], "Shall I?")
            taken.append([steer.text for steer in await run.steers()])

    await harness.ask(agent)
    await harness.answer_ask("yes")
    await harness.steer("new")
    await harness.go_on()

    assert taken == [[], [], ["new"]]


async def test_an_agent_that_asks_again_and_again_for_steers_costs_one_query(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries: list[str] = []
    lost = asyncio.Event()

    def counted(name: str) -> Callable[..., Any]:
        call = getattr(runs, name)

        def count(*arguments: object, **named: object) -> object:
            queries.append(name)
            return call(*arguments, **named)

        return count

    async def agent(run: AgentRun) -> None:
        for _ in range(20):
            await run.steers()
        if run.attempt == 1:
            lost.set()
            await asyncio.Event().wait()

    for name in ("take_steers", "taken_steers"):
        monkeypatch.setattr(runs, name, counted(name))
    log = await harness.ask_and_lose_worker(agent, lost)

    assert isinstance(log[-1], RunCompleted)
    assert queries == ["taken_steers"]


# Progress


async def ask(run: AgentRun) -> None:
    await run.ask(["yes"], "Shall I?")


async def take_signal(run: AgentRun) -> None:
    await run.wait_for("paid")
    await ask(run)


async def be_steered(run: AgentRun) -> None:
    await run.steers()
    await ask(run)


async def say(run: AgentRun) -> None:
    async with run.message() as message:
        await message.append("Shall I?")
        await run.progress("while speaking")
    await ask(run)


@pytest.mark.parametrize("wait", [ask, take_signal, be_steered, say])
async def test_progress_is_not_shown_again_where_no_step_was_kept(
    harness: Harness, wait: Callable[[AgentRun], Awaitable[None]]
) -> None:
    async def agent(run: AgentRun) -> None:
        await run.progress("before")
        await run._buffer.flush()  # of two in a short time only the newer one is written
        await wait(run)
        await run.progress("after")

    await harness.request(agent)
    await harness.signal("paid", 1)
    await harness.steer("be quick")
    log = await harness.execute(harness.run)
    before = [fact.label for fact in among(log, RunProgressed)]
    assert before[0] == "before"
    await harness.answer_ask("yes")
    log = await harness.go_on()

    assert isinstance(log[-1], RunCompleted)
    assert [fact.label for fact in among(log, RunProgressed)] == [*before, "after"]


async def test_news_in_one_task_does_not_repeat_the_progress_of_another(harness: Harness) -> None:
    lost, passed = asyncio.Event(), asyncio.Event()

    async def agent(run: AgentRun) -> None:
        async def busy() -> None:
            if run.attempt > 1:
                await run.step("new", asyncio.sleep, 0)
                passed.set()
            else:
                await lost.wait()
                await asyncio.Event().wait()

        async def shown() -> None:
            if run.attempt > 1:
                await passed.wait()
            await run.progress("one")
            await run.step("kept", asyncio.sleep, 0)
            await run.progress("two")
            await run._buffer.flush()
            lost.set()

        await run.gather([busy(), shown()])

    log = await harness.ask_and_lose_worker(agent, lost)

    assert isinstance(log[-1], RunCompleted)
    assert [fact.label for fact in among(log, RunProgressed)] == [
        "one",
        "two",
        "two",
    ]  # nothing kept stands after “two”


# Tools


async def test_keys_within_a_tool_belong_to_its_call(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    returned: list[str] = []

    @tool
    async def look(run: AgentRun) -> str:
        """Looks."""

        async def work() -> str:
            return run.key

        returned.append(await run.step("a", work))
        await run.ask(["yes"], "Go on?", key="ask")
        return "seen"

    async def agent(run: AgentRun) -> None:
        async with run.message() as message:
            await message.model(run.prompt(), tools=[look])

    requests = model_that_calls(monkeypatch, "look", "look")
    await harness.ask(agent)
    for ask in await bridge.run(lambda: list(Ask.objects.filter(state="open"))):
        await harness.answer_ask("yes", AskId(ask.pk))
    log = await harness.go_on()

    assert isinstance(log[-1], RunCompleted)
    assert (len(set(returned)), len(returned), len(requests)) == (2, 4, 2)
    assert [fact.kind for fact in log if isinstance(fact, ToolReturned)] == ["tool.returned"] * 2


async def test_a_tool_that_goes_on_shows_its_progress_once(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    @tool
    async def look(run: AgentRun) -> None:
        """Looks."""
        await run.progress("before")
        await run.ask(["yes"], "Go on?")
        await run.progress("after")

    async def agent(run: AgentRun) -> None:
        async with run.message() as message:
            await message.model(run.prompt(), tools=[look])
        await run.progress("done")

    model_that_calls(monkeypatch, "look")
    await harness.ask(agent)
    await harness.answer_ask("yes")
    log = await harness.go_on()

    assert [fact.label for fact in among(log, ToolProgressed)] == ["before", "after"]
    assert [fact.label for fact in among(log, RunProgressed)] == ["done"]


async def test_a_tool_that_asks_for_its_approval_late_uses_its_keys_again(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pydantic_ai.exceptions import ApprovalRequired

    done: list[str] = []

    @tool
    async def remove(run: AgentRun) -> str:
        """Removes something."""

        async def count() -> int:
            done.append(run.key)
            return len(done)

        number = await run.step("count", count)
        if not run.approved:
            raise ApprovalRequired
        return f"removed {number}"

    async def agent(run: AgentRun) -> None:
        async with run.message() as message:
            await message.model(run.prompt(), tools=[remove])

    model_that_calls(monkeypatch, "remove")
    await harness.ask(agent)
    await harness.answer_ask({"approve": True})
    log = await harness.go_on()

    assert [fact.output for fact in among(log, ToolReturned)] == ["removed 1"]
    assert len(done) == 1


async def test_an_answer_that_a_model_cut_off_is_not_asked_for_again(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def agent(run: AgentRun) -> None:
        async with run.message() as message:
            try:
                await message.model(run.prompt())
            except AgentFailed as failed:
                await message.append(f"… {failed.code}. ")
            await run.ask(["yes"], "Try again?")
            await message.append("No.")

    requests = model_that_calls(monkeypatch, fails=True)
    await harness.ask(agent)
    await harness.answer_ask("yes")
    log = await harness.go_on()

    assert texts(log) == ["I thi… model_cut. No."]
    assert len(requests) == 1
    assert not among(log, RunRestarted)


# Code that has changed


async def changed(
    harness: Harness, old: Callable[[AgentRun], Awaitable[None]], new: Callable[[AgentRun], Awaitable[None]]
) -> list[Fact]:
    """The old code waits for an answer, and the new code goes on."""
    await harness.ask(old)
    await harness.answer_ask("yes")
    harness.change_code(new)
    return await harness.go_on()


async def test_a_kept_step_that_new_code_does_not_know_is_ignored(harness: Harness) -> None:
    async def old(run: AgentRun) -> None:
        await run.step("gone", asyncio.sleep, 0)
        await run.ask(["yes"], "Shall I?")

    async def new(run: AgentRun) -> None:
        await run.progress("too early")
        assert await run.ask(["yes"], "Shall I?") == "yes"
        await run.step("new", asyncio.sleep, 0)
        await run.progress("now")
        await harness.steer("hello")
        assert [steer.text for steer in await run.steers()] == ["hello"]

    log = await changed(harness, old, new)

    assert isinstance(log[-1], RunCompleted)
    assert [fact.key for fact in among(log, StepCompleted)] == ["gone", "new"]
    assert [fact.label for fact in among(log, RunProgressed)] == ["now"]


async def test_a_step_that_is_new_is_done_wherever_it_stands(harness: Harness) -> None:
    done: list[str] = []

    async def note(name: str) -> str:
        done.append(name)
        return name

    async def old(run: AgentRun) -> None:
        await run.step("a", note, "a")
        await run.ask(["yes"], "Shall I?")

    async def new(run: AgentRun) -> None:
        await run.step("before", note, "before")
        assert await run.step("a", note, "a") == "a"
        await run.ask(["yes"], "Shall I?")

    log = await changed(harness, old, new)

    assert isinstance(log[-1], RunCompleted)
    assert done == ["a", "before"]


async def test_a_question_that_new_code_does_not_ask_is_closed_with_the_run(harness: Harness) -> None:
    async def old(run: AgentRun) -> None:
        await run.gather([run.ask(["yes"], "Shall I?", key="one"), run.sleep("1h", key="pause")])

    async def new(run: AgentRun) -> None:
        pass

    await harness.ask(old)
    await bridge.run(lambda: Run.objects.update(resume_at=LONG_AGO))
    harness.change_code(new)
    log = await harness.go_on()

    assert isinstance(log[-1], RunCompleted)
    assert [each.end for each in await bridge.run(lambda: list(Ask.objects.all()))] == ["run_ended"]


async def test_a_message_that_new_code_says_otherwise_takes_the_place_of_the_old_one(harness: Harness) -> None:
    async def old(run: AgentRun) -> None:
        async with run.message() as message:
            await message.append("Hello, shall I?")
            await run.ask(["yes"], "Shall I?")

    async def new(run: AgentRun) -> None:
        async with run.message() as message:
            await message.append("Good day. Shall I?")
            await run.ask(["yes"], "Shall I?")

    log = await changed(harness, old, new)

    assert texts(log) == ["Good day. Shall I?"]
    assert [len(fact.voided) for fact in among(log, RunRestarted)] == [1]


async def test_steers_that_new_code_does_not_take_hold_back_new_ones_which_are_answered_next(harness: Harness) -> None:
    async def old(run: AgentRun) -> None:
        await harness.steer("first")
        await run.steers(key="mine")
        await run.ask(["yes"], "Shall I?")

    async def new(run: AgentRun) -> None:
        await run.ask(["yes"], "Shall I?")
        await harness.steer("second")
        assert await run.steers(key="others") == []

    log = await changed(harness, old, new)

    assert [fact.consumed for fact in among(log, RunSteered)] == [True, False]
