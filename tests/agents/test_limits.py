"""A Run that has spent what it may is ended, and people read which limit it was."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from django.db.models.functions import Now
from pytest_django import Settings

from agents.runner import limits
from agents.sdk import AgentRun, Limits, Message, StepFailed, agent, meter, tool
from agents.sdk.meter import UNKNOWN_PRICE, Meter
from agents.sdk.registration import BadAgent
from agents.sdk.registry import AgentFunction
from sessions_core import bridge
from sessions_core.models import Run
from sessions_core.protocol.events import RunCompleted, RunFailed, Usage
from sessions_core.protocol.spent import Spent
from tests.agents.facts import completed, text
from tests.agents.harness import NAME, Harness

if TYPE_CHECKING:
    from tests.agents.assistant import Assistant

pytestmark = pytest.mark.django_db(transaction=True)


class Clock:
    """The monotonic clock by which limits are measured. It stands still until the test moves it."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self._now = 1_000.0

    def monotonic(self) -> float:
        return self._now

    def pass_time(self, seconds: float) -> None:
        """Lets so many seconds pass, and the Runner look at the limits."""
        self._now += seconds
        for attempt in self._harness.runner.running:
            attempt.check_time()


@pytest.fixture
def clock(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(harness)
    monkeypatch.setattr(meter, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


async def be_stopped() -> None:
    await asyncio.Event().wait()


async def ask(harness: Harness, function: AgentFunction, **limit: float) -> RunFailed:
    agent(NAME, title="Tried", description="", limits=Limits(**limit))(function)  # type: ignore[arg-type]
    failed = (await harness.execute(await harness.post("hello", agent=NAME)))[-1]
    assert isinstance(failed, RunFailed)
    assert failed.code == "limit_reached"
    return failed


async def use(message: Message, tokens: int) -> None:
    await message.append("said")
    message.used(input_tokens=tokens, output_tokens=0)
    await be_stopped()


async def test_an_agent_that_works_for_too_long_is_ended_and_its_text_kept(harness: Harness, clock: Clock) -> None:
    async def dawdle(run: AgentRun) -> None:
        async with run.message() as message:
            await message.append("said")
            clock.pass_time(301)
            await be_stopped()

    failed = await ask(harness, dawdle, seconds=300)

    assert failed.message == "The answer took longer than 5 min and was ended."
    assert text(await bridge.run(completed, harness.session)) == "said"


async def test_a_limit_of_time_needs_nobody_to_look_at_it(harness: Harness) -> None:
    async def dawdle(run: AgentRun) -> None:
        await be_stopped()

    failed = await ask(harness, dawdle, seconds=0.1)

    assert failed.message == "The answer took longer than 0.1 s and was ended."


async def test_what_earlier_attempts_have_taken_counts(harness: Harness) -> None:
    async def dawdle(run: AgentRun) -> None:
        await be_stopped()

    agent(NAME, title="Tried", description="", limits=Limits(seconds=300))(dawdle)
    run = await harness.post("hello", agent=NAME)
    await bridge.run(Run.objects.filter(pk=run).update, worked_ms=300_000)

    failed = (await harness.execute(run))[-1]

    assert isinstance(failed, RunFailed)
    assert failed.message == "The answer took longer than 5 min and was ended."


async def test_a_run_knows_when_its_time_is_over(harness: Harness) -> None:
    deadlines: list[datetime | None] = []

    async def look(run: AgentRun) -> None:
        deadlines.append(run.deadline)
        await run.wait_for("paid")

    agent(NAME, title="Tried", description="", limits=Limits(seconds=300))(look)
    run = await harness.post("hello", agent=NAME)
    await bridge.run(Run.objects.filter(pk=run).update, worked_ms=100_000)
    await harness.execute(run)
    claimed = (await harness.row()).claimed_at
    assert claimed is not None
    assert deadlines == [claimed + timedelta(seconds=200)]


async def test_the_time_that_a_run_waits_moves_its_deadline(harness: Harness) -> None:
    seen: list[tuple[datetime | None, datetime | None]] = []

    async def look(run: AgentRun) -> None:
        seen.append((run.deadline, (await harness.row()).claimed_at))
        await run.wait_for("paid")

    agent(NAME, title="Tried", description="", limits=Limits(seconds=300))(look)
    run = await harness.post("hello", agent=NAME)
    await harness.execute(run)
    worked = timedelta(milliseconds=(await harness.row()).worked_ms)
    await bridge.run(Run.objects.filter(pk=run).update, resume_at=Now())
    await harness.execute(run)

    (before, claimed), (after, claimed_again) = seen
    assert before
    assert after
    assert claimed
    assert claimed_again
    assert after - before == claimed_again - claimed - worked


async def test_a_run_without_a_limit_of_time_has_no_deadline(harness: Harness, settings: Settings) -> None:
    settings.RUN_SECONDS = 0

    async def look(run: AgentRun) -> None:
        assert run.deadline is None

    assert (await harness.ask(look))[-1] == RunCompleted()


async def test_an_agent_that_gets_nowhere_is_ended(harness: Harness, clock: Clock) -> None:
    async def hang(run: AgentRun) -> None:
        clock.pass_time(120)
        await be_stopped()

    failed = await ask(harness, hang, quiet_s=120)

    assert failed.message == "The answer made no progress for 2 min and was ended."


async def speak(run: AgentRun, clock: Clock) -> None:
    async with run.message() as message:
        await message.append("getting on")


async def tell(run: AgentRun, clock: Clock) -> None:
    await run.progress("getting on")
    await run._buffer.flush()


async def work(run: AgentRun, clock: Clock) -> None:
    async def take_long() -> None:
        clock.pass_time(90)

    await run.step("work", take_long)


async def try_again(run: AgentRun, clock: Clock) -> None:
    async def fail() -> None:
        clock.pass_time(90)
        raise ConnectionError

    with pytest.raises(StepFailed):
        await run.step("try", fail, retries=1, backoff=(0, 0))


@pytest.mark.parametrize("sign", [speak, tell, work, try_again])
async def test_an_agent_that_gets_on_is_not_quiet(
    harness: Harness, clock: Clock, sign: Callable[[AgentRun, Clock], Awaitable[None]]
) -> None:
    async def plod(run: AgentRun) -> None:
        clock.pass_time(90)
        await sign(run, clock)
        clock.pass_time(90)
        await asyncio.sleep(0)  # a stop would come here

    agent(NAME, title="Tried", description="", limits=Limits(quiet_s=120))(plod)

    assert (await harness.execute(await harness.post("hello", agent=NAME)))[-1] == RunCompleted()


async def test_a_model_that_writes_the_arguments_of_a_call_is_not_quiet(
    harness: Harness, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pydantic_ai.messages import ModelMessage
    from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel

    from agents.provider import chat

    async def stream(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str | DeltaToolCalls]:
        if len(messages) > 1:
            yield "done"
            return
        yield {0: DeltaToolCall(name="write", json_args='{"text": "')}
        for _ in range(3):
            clock.pass_time(90)
            yield {0: DeltaToolCall(json_args="on and on ")}
        yield {0: DeltaToolCall(json_args='"}')}

    monkeypatch.setattr(chat, "model", lambda: FunctionModel(stream_function=stream))

    @tool
    async def write(run: AgentRun, text: str) -> None:
        """Writes."""

    async def answer(run: AgentRun) -> None:
        async with run.message() as message:
            await message.model(run.prompt(), tools=[write])

    agent(NAME, title="Tried", description="", limits=Limits(quiet_s=120))(answer)

    assert (await harness.execute(await harness.post("hello", agent=NAME)))[-1].kind == "run.completed"


async def test_an_agent_that_uses_too_many_tokens_is_ended(harness: Harness) -> None:
    async def talk(run: AgentRun) -> None:
        async with run.message() as message:
            await use(message, 1001)

    failed = await ask(harness, talk, tokens=1000)

    assert failed.message == "The answer used more than 1,000 tokens of a model and was ended."
    assert failed.usage == Usage(input_tokens=1001, output_tokens=0, requests=1)


async def test_an_agent_that_asks_a_model_too_often_is_ended(harness: Harness) -> None:
    async def nag(run: AgentRun) -> None:
        for _ in range(3):
            async with run.message() as message:
                message.used(input_tokens=1, output_tokens=1)

    failed = await ask(harness, nag, requests=2)

    assert failed.message == "The answer asked a model more than 2 times and was ended."


async def test_a_run_whose_price_nobody_knows_does_not_begin_under_a_limit_of_cost(
    assistant: "Assistant", settings: Settings
) -> None:
    settings.RUN_COST_USD = 1

    failed = await assistant.fail(words=3)

    assert (failed.code, failed.message) == ("limit_reached", UNKNOWN_PRICE)
    assert failed.usage == RunFailed(code="", message="", retry=False).usage


def test_a_meter_speaks_once_and_says_which_limit_it_was() -> None:
    said: list[str] = []
    meter = Meter(Limits(steps=2, cost_usd=1), on_limit=said.append)

    meter.count(steps=2)
    assert said == []
    meter.count(requests=1, input_tokens=1, cost_usd=1.5)
    meter.count(steps=1)

    assert said == ["The answer cost more than $1.00 and was ended."]


def test_a_cost_is_known_only_where_all_of_it_is() -> None:
    meter = Meter()
    meter.count(input_tokens=1, cost_usd=0.25)
    meter.count(input_tokens=1, cost_usd=0.5)
    assert meter.spent.cost_usd == 0.75

    meter.count(input_tokens=1)
    meter.count(input_tokens=1, cost_usd=0.5)

    assert meter.spent.cost_usd is None


def test_a_meter_goes_on_where_the_attempt_before_has_ended() -> None:
    said: list[str] = []

    Meter(Limits(steps=5), spent=Spent(steps=5), on_limit=said.append).count(steps=1)

    assert said == ["The answer needed more than 5 steps and was ended."]


def test_the_settings_say_what_an_agent_does_not(settings: Settings) -> None:
    settings.RUN_SECONDS, settings.RUN_TOKENS, settings.RUN_STEPS = 900, 0, 100
    agent(NAME, title="Tried", description="", limits=Limits(steps=7))(_nothing)
    from agents.sdk import registry

    found = limits.of(registry._registered.pop(NAME)[0])

    assert (found.seconds, found.tokens, found.steps) == (900, None, 7)


async def _nothing(run: AgentRun) -> None: ...


def test_a_limit_under_which_nothing_can_be_done_is_refused() -> None:
    with pytest.raises(BadAgent, match="The limit `steps` of the agent “tried” is 0"):
        agent(NAME, title="Tried", description="", limits=Limits(steps=0))(_nothing)


@pytest.mark.parametrize(
    ("model", "price"),
    [("openai:gpt-4o-mini", Decimal("0.75")), ("openai:a-model-of-nobody", None)],
)
def test_a_request_costs_what_the_list_of_prices_says(model: str, price: Decimal | None, settings: Settings) -> None:
    from pydantic_ai.usage import RequestUsage

    from agents.provider import chat, prices

    settings.CHAT_MODEL, settings.CHAT_MODEL_URL, settings.CHAT_MODEL_KEY = model, "", "sk-secret"
    chat.model.cache_clear()
    usage = RequestUsage(input_tokens=1_000_000, output_tokens=1_000_000)

    try:
        assert prices.cost_usd(chat.model(), usage) == (None if price is None else float(price))
        assert prices.is_known() == (price is not None)
    finally:
        chat.model.cache_clear()
