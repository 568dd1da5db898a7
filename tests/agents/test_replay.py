"""A later attempt comes to the same place by the same way. Nothing new comes earlier, and nothing is shown again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from datetime import date, timedelta
from functools import partial
from random import randint
from typing import Any, Final, Generic, TypeVar

import pytest
from msgspec import Struct
from pydantic import BaseModel
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel

from agents.provider import chat
from agents.runner.runner import Runner
from agents.sdk import AgentFailed, AgentRun, Declined, tool
from agents.sdk.forms import Form
from sessions_core import bridge
from sessions_core.models import Ask, Run, Signal, Step
from sessions_core.protocol.errors import BadAnswer
from sessions_core.protocol.events import (
    AskOpened,
    Fact,
    MessageCompleted,
    RunCompleted,
    RunFailed,
    RunProgressed,
    RunRestarted,
    RunSteered,
    RunWaiting,
    StepCompleted,
    ToolProgressed,
    ToolReturned,
)
from sessions_core.protocol.ids import AskId
from sessions_core.protocol.timeline import fold
from sessions_core.protocol.timeline_types import Timeline
from sessions_core.services import asks, runs, sessions, waiting
from tests.agents.facts import among, text
from tests.agents.harness import LONG_AGO, Harness
from tests.db.acts import read_events
from tests.support.random_input import many

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


def model_that_calls(monkeypatch: pytest.MonkeyPatch, *calls: str, fails: bool = False) -> list[int]:
    """Makes a model that calls these tools at once and then says “done”. Returns a list with an item for each request."""
    requests: list[int] = []

    async def stream(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str | DeltaToolCalls]:
        requests.append(len(messages))
        if fails:
            yield "I thi"
            raise AgentFailed("model_cut", "The model's answer ended before it was whole.")
        if len(messages) == 1 and calls:
            yield {n: DeltaToolCall(name=name, json_args="{}") for n, name in enumerate(calls)}
        else:
            yield "done"

    monkeypatch.setattr(chat, "model", lambda: FunctionModel(stream_function=stream))
    return requests


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


# Waiting


class Note(BaseModel):
    text: str
    due: date | None = None


class Place(Struct):
    city: str
    people: int = 1


TEA: Final = {"text": "tea", "due": "2026-02-01"}


@pytest.mark.parametrize(
    ("form", "default", "shown", "answer", "expected"),
    [
        (Note, Note(text="milk"), {"text": "milk", "due": None}, TEA, Note(text="tea", due=date(2026, 2, 1))),
        (Note, Note(text="tea", due=date(2026, 2, 1)), TEA, {"text": "milk"}, Note(text="milk")),
        (Place, Place("Rome"), {"city": "Rome", "people": 1}, {"city": "Bonn"}, Place("Bonn")),
        (Place, {"city": "Rome"}, {"city": "Rome"}, {"city": "Bonn", "people": 2}, Place("Bonn", 2)),
        ({"type": "integer"}, 3, 3, 4, 4),
        (["a", "b"], "a", "a", "b", "b"),
    ],
)
async def test_a_form_may_be_a_model_and_so_may_what_fills_it_in(  # noqa: PLR0917  # columns of the table
    harness: Harness, form: Form, default: object, shown: object, answer: object, expected: object
) -> None:
    answers: list[object] = []

    async def agent(run: AgentRun) -> None:
        answers.append(await run.ask(form, "Which?", default=default))

    log = await harness.ask(agent)
    assert [fact.default for fact in among(log, AskOpened)] == [shown]
    await harness.answer_ask(shown)  # whatever fills the form in fits it
    await harness.go_on()
    await harness.ask(agent)
    await harness.answer_ask(answer)
    await harness.go_on()

    assert answers == [Place("Rome") if form is Place else default, expected]


@pytest.mark.parametrize("value", [{"text": 1}, {}, "tea"])
async def test_an_answer_that_does_not_fit_a_model_is_refused(harness: Harness, value: object) -> None:
    async def agent(run: AgentRun) -> None:
        await run.ask(Note, "Which?")

    await harness.ask(agent)

    with pytest.raises(BadAnswer):
        await harness.answer_ask(value)


async def test_a_step_a_question_a_sleep_and_a_signal_are_waited_for_side_by_side(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    results: list[object] = []
    done: list[int] = []

    async def work() -> str:
        done.append(1)
        return "done"

    async def agent(run: AgentRun) -> None:
        async def sleep() -> str:
            await run.sleep("1h")
            return "slept"

        waits = [run.step("work", work), run.ask(Place, "Where?"), sleep(), run.wait_for("paid")]
        results.extend(await run.gather(waits))

    log = await harness.ask(agent)
    assert [fact.on for fact in among(log, RunWaiting)] == ["ask"]  # people are told what they can end
    await harness.answer_ask({"city": "Bonn"})
    log = await harness.go_on()
    assert [fact.on for fact in among(log, RunWaiting)] == ["ask", "signal"]
    await harness.signal("paid", 7)
    log = await harness.go_on()
    assert [fact.on for fact in among(log, RunWaiting)] == ["ask", "signal", "sleep"]
    move_clock(monkeypatch, timedelta(hours=2))
    await bridge.run(lambda: Run.objects.update(resume_at=LONG_AGO))
    log = await harness.go_on()

    assert isinstance(log[-1], RunCompleted)
    assert (results, done) == (["done", Place("Bonn"), "slept", 7], [1])


async def test_a_signal_that_comes_too_late_does_not_undo_that_it_was_too_late(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    async def agent(run: AgentRun) -> None:
        try:
            await run.wait_for("paid", expires="1h")
            seen.append("paid")
        except Declined as declined:
            seen.append(declined.reason)
        await run.ask(["yes"], "Shall I?")

    await harness.ask(agent)
    await bridge.run(lambda: Run.objects.update(resume_at=LONG_AGO))
    move_clock(monkeypatch, timedelta(hours=2))
    assert isinstance((await harness.go_on())[-1], RunWaiting)
    await harness.signal("paid", 1)
    await harness.answer_ask("yes")
    await harness.go_on()

    assert seen == ["expired", "expired"]
    assert not await bridge.run(Signal.objects.exclude(consumed_by=None).exists)


def move_clock(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Lets Runs see another time than that of the database."""
    now = waiting.now
    monkeypatch.setattr(waiting, "now", lambda: now() + by)


async def test_a_question_that_could_not_be_asked_is_not_asked_later(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    async def agent(run: AgentRun) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(asks, "OPEN_ASKS", 1 if run.is_resumed else 0)
            try:
                await run.ask(["yes"], "One too many?")
            except AgentFailed as failed:
                seen.append(failed.code)
        await run.ask(["yes"], "Shall I?")

    await harness.ask(agent)
    await harness.answer_ask("yes")
    log = await harness.go_on()

    assert seen == ["limit_reached"] * 2
    assert [fact.title for fact in among(log, AskOpened)] == ["Shall I?"]


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


# Stopped anywhere


class Stop:
    """Stops an agent at its await number `at`, as a worker does that is shut down. Counts the awaits within `counted`."""

    def __init__(self, at: int) -> None:
        self.at, self.count = at, 0
        self.stop: Callable[[], None] = lambda: None

    @property
    def has_come(self) -> bool:
        return self.count >= self.at

    def suspend(self) -> None:
        self.count += 1
        if self.count == self.at:
            self.stop()


class counted(Generic[T]):  # noqa: N801  # read as a function
    def __init__(self, begin: Callable[[], Awaitable[T]], stop: Stop) -> None:
        self._begin, self._stop = begin, stop

    def __await__(self) -> Generator[Any, Any, T]:
        inner = self._begin().__await__()
        go_on: Callable[[], object] = lambda: inner.send(None)  # noqa: E731
        while True:
            try:
                awaited = go_on()
            except StopIteration as returned:
                return returned.value  # type: ignore[no-any-return]
            self._stop.suspend()
            try:
                yield awaited
                go_on = lambda: inner.send(None)  # noqa: E731
            except BaseException as error:  # noqa: BLE001  # handed on
                go_on = lambda error=error: inner.throw(error)  # type: ignore[misc]  # noqa: E731


class Everything:
    """An agent that does all that can be interrupted, and Alice, who answers it."""

    def __init__(self, harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
        self._harness = harness
        self._monkeypatch = monkeypatch
        self.done: list[str] = []

    async def _note(self, name: str) -> str:
        self.done.append(name)
        await asyncio.sleep(0)
        return name

    async def _fail(self) -> None:
        self.done.append("failed")
        raise ConnectionError("refused")

    async def perform(self, run: AgentRun, stop: Stop) -> None:
        @tool(idempotent=True)
        async def look(run: AgentRun) -> str:
            """Looks."""

            async def work() -> str:
                first: str = await run.step("a", self._note, "in the tool")
                await run.ask(["yes"], "May the tool?")
                return first

            return await counted(work, stop)

        await run.progress("beginning")
        first = await run.step("a", self._note, "first")
        async with run.message() as message:
            await message.append(f"{first} ")
            await run.progress("speaking")
            await message.append(f" {await run.ask(['yes'], 'Shall I?')}")
        parts = await run.gather(
            counted(begin, stop)
            for begin in (
                partial(run.step, "b", self._note, "second"),
                partial(run.ask, Place, "Where?"),
                partial(self._sleep, run),
                partial(run.wait_for, "paid"),
            )
        )
        try:
            await run.step("c", self._fail)
        except Exception as error:  # noqa: BLE001  # any
            parts.append(str(error))
        async with run.message() as message:
            await message.model(run.prompt(), tools=[look])
            await message.append(f" {parts}")

    async def _sleep(self, run: AgentRun) -> str:
        await run.sleep("1h")
        return "slept"

    async def log(self, at: int) -> tuple[list[str], bool]:
        """Performs it in a Session of its own, stopped at the await number `at`. Returns what is in the log that matters, and
        whether it came to that.
        """
        harness, stop = self._harness, Stop(at)
        harness.session = await bridge.run(sessions.create, by=harness.owner, agent="script")
        self.done = []

        async def agent(run: AgentRun) -> None:
            stop.stop = harness.runner.drain
            await counted(lambda: self.perform(run, stop), stop)

        harness.runner = Runner("w1")
        await harness.request(agent)
        await harness.signal("paid", 7)
        with self._monkeypatch.context() as patched:
            for _ in range(12):
                if isinstance((await harness.execute(harness.run))[-1], RunCompleted | RunFailed):
                    break
                for ask in await bridge.run(lambda: list(Ask.objects.filter(session=harness.session, state="open"))):
                    await harness.answer_ask({"city": "Bonn"} if ask.title == "Where?" else "yes", AskId(ask.pk))
                if (await harness.row()).waits_on == "sleep":
                    move_clock(patched, timedelta(hours=2))
                    await bridge.run(lambda: Run.objects.filter(pk=harness.run).update(resume_at=LONG_AGO))
                harness.runner = Runner("w2")
        return await bridge.run(self._of_interest), stop.has_come

    def _of_interest(self) -> list[str]:
        """What readers see of the Run, and what was kept: each once, whatever order tasks come in."""
        timeline, session, run = Timeline(), self._harness.session, self._harness.run
        fold(timeline, read_events(session))
        said = [message.text for message in timeline.messages.values() if message.run == str(run)]
        calls = [f"{call.name}: {call.state} {call.output}" for call in timeline.calls.values()]
        keys = Step.objects.filter(run=run).exclude(completed_at=None).values_list("key", flat=True)
        kept = sorted(key for key in keys if "@" not in key)  # that is the place of a call in another Message
        asks = sorted(Ask.objects.filter(run=run).values_list("title", "state"))
        ended = Run.objects.get(pk=run).state
        return [*said, *calls, *map(str, [kept, asks, ended, sorted(set(self.done))])]


@pytest.mark.hypothesis  # so that `make test-more` stops it at every await, and not at every tenth from any on
async def test_a_run_that_is_stopped_at_any_await_ends_as_one_that_is_not(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_that_calls(monkeypatch, "look", "look")
    everything = Everything(harness, monkeypatch)
    undisturbed, _ = await everything.log(at=10**6)
    assert len(undisturbed) == 2 + 2 + 4  # messages, calls, and the rest

    stride = max(1, 10 // many(1))
    at, has_come = randint(1, stride), True
    while has_come:
        stopped, has_come = await everything.log(at)
        assert stopped == undisturbed, f"stopped at its await number {at}"
        at += stride
    assert at > 60, "the agent waits less often than it did"
