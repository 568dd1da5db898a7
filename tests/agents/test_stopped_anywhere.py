"""A Run that is stopped at any await of its agent ends as one that is not: with the same log, each thing once."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from datetime import timedelta
from functools import partial
from random import randint
from typing import Any, Generic, TypeVar

import pytest
from msgspec import Struct

from agents.runner.runner import Runner
from agents.sdk import AgentRun, tool
from sessions_core import bridge
from sessions_core.models import Ask, Run, Step
from sessions_core.protocol.events import (
    RunCompleted,
    RunFailed,
)
from sessions_core.protocol.ids import AskId
from sessions_core.protocol.timeline import fold
from sessions_core.protocol.timeline_types import Timeline
from sessions_core.services import sessions
from tests.agents.harness import LONG_AGO, Harness, move_clock
from tests.agents.scripted_model import model_that_calls
from tests.db.acts import read_events
from tests.support.random_input import many

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")


class Place(Struct):
    city: str
    people: int = 1


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
