"""Steps: what was done is kept, and no later attempt does it again (P9)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from agents.runner.runner import Runner
from agents.sdk import AgentFailed, AgentRun, StepUnknown
from sessions_core import bridge
from sessions_core.models import Blob, Run, Step
from sessions_core.protocol.events import (
    MessageCompleted,
    RunCompleted,
    RunFailed,
    RunProgressed,
    RunRestarted,
    StepCompleted,
)
from sessions_core.services.steps import EVENT_BYTES, ROW_BYTES
from tests.agents.facts import among, text
from tests.agents.harness import Harness

pytestmark = pytest.mark.django_db(transaction=True)

LAPSED = "2020-01-01T00:00:00Z"


class Work:
    """Counts what is done, and stops the first attempt after so many steps."""

    def __init__(self, *, killed_after: int) -> None:
        self.done: list[str] = []
        self._left = killed_after
        self.is_killed = asyncio.Event()

    async def do(self, name: str) -> str:
        self.done.append(name)
        return name

    async def live(self) -> None:
        """Hangs once the worker counts as killed."""
        self._left -= 1
        if self._left == 0:
            self.is_killed.set()
            await asyncio.Event().wait()


async def killed_and_taken_over(
    harness: Harness, function: Callable[[AgentRun], Awaitable[None]], killed: asyncio.Event
) -> list[object]:
    """Executes the Run until it is `killed`, and then in another worker."""
    task = await harness.start(function, killed)
    await bridge.run(lambda: Run.objects.update(lease_until=LAPSED))
    first, harness.runner = harness.runner, Runner("w2")
    log = await harness.execute(harness.run)
    first.drain()
    await task
    return list(log)


@pytest.mark.parametrize("killed_after", range(1, 6))
async def test_a_killed_worker_costs_no_step_twice(harness: Harness, killed_after: int) -> None:
    work = Work(killed_after=killed_after)

    async def agent(run: AgentRun) -> None:
        for name in ("a", "b"):
            await work.live()
            await run.step(name, work.do, name)
            await work.live()
            async with run.message() as message:
                await message.append(f"{name} is done")
        await work.live()

    log = await killed_and_taken_over(harness, agent, work.is_killed)

    assert work.done == ["a", "b"]
    assert [fact.key for fact in among(log, StepCompleted)] == ["a", "b"]
    assert [text(fact) for fact in among(log, MessageCompleted)] == ["a is done", "b is done"]
    assert len(among(log, RunRestarted)) == 1
    assert isinstance(log[-1], RunCompleted)


async def test_a_step_that_was_cut_off_is_done_again_with_the_same_key(harness: Harness) -> None:
    keys: list[str] = []
    killed = asyncio.Event()

    async def agent(run: AgentRun) -> None:
        async def pay() -> int:
            keys.append(run.key)
            if len(keys) == 1:
                killed.set()
                await asyncio.Event().wait()
            return 1

        await run.step("pay", pay)

    await killed_and_taken_over(harness, agent, killed)

    assert keys == [f"{harness.run}:pay"] * 2


async def test_a_step_that_must_not_be_done_twice_says_that_nobody_knows(harness: Harness) -> None:
    raised: list[str] = []
    killed = asyncio.Event()

    async def agent(run: AgentRun) -> None:
        async def pay() -> None:
            killed.set()
            await asyncio.Event().wait()

        try:
            await run.step("pay", pay, idempotent=False)
        except StepUnknown as unknown:
            raised.append(str(unknown))

    await killed_and_taken_over(harness, agent, killed)

    assert raised == ["The step “pay” was cut off, and must not be done twice."]


async def test_the_clock_and_the_dice_are_the_same_in_every_attempt(harness: Harness) -> None:
    seen: list[tuple[object, float]] = []
    killed = asyncio.Event()

    async def agent(run: AgentRun) -> None:
        seen.append((await run.now(), run.random.random()))
        if len(seen) == 1:
            killed.set()
            await asyncio.Event().wait()

    await killed_and_taken_over(harness, agent, killed)

    assert len(set(seen)) == 1


async def test_a_step_is_tried_again_after_an_error(harness: Harness) -> None:
    tries: list[int] = []

    async def flaky() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise ConnectionError
        return "ok"

    async def agent(run: AgentRun) -> None:
        assert await run.step("flaky", flaky, retries=2, backoff=(0, 0)) == "ok"

    assert isinstance((await harness.ask(agent))[-1], RunCompleted)
    assert len(tries) == 3


async def test_a_step_that_takes_too_long_is_ended(harness: Harness) -> None:
    async def agent(run: AgentRun) -> None:
        with pytest.raises(TimeoutError):
            await run.step("slow", asyncio.Event().wait, timeout=0.01)

    assert isinstance((await harness.ask(agent))[-1], RunCompleted)


@pytest.mark.parametrize("size", [EVENT_BYTES - 2, EVENT_BYTES, ROW_BYTES, ROW_BYTES + 1])
async def test_a_large_result_is_kept_and_not_shown_to_every_reader(harness: Harness, size: int) -> None:
    async def large() -> str:
        return "x" * size

    async def agent(run: AgentRun) -> None:
        assert await run.step("large", large) == "x" * size

    log = await harness.ask(agent)

    fact = among(log, StepCompleted)[0]
    encoded = size + 2
    assert (fact.size == encoded) == (encoded > EVENT_BYTES)
    assert await bridge.run(Blob.objects.exists) == (encoded > ROW_BYTES)
    assert (await bridge.run(Step.objects.get)).size == encoded


async def test_a_result_that_cannot_be_kept_fails_with_a_sentence(harness: Harness) -> None:
    async def strange() -> object:
        return object()

    async def agent(run: AgentRun) -> None:
        await run.step("strange", strange)

    failed = (await harness.ask(agent))[-1]

    assert isinstance(failed, RunFailed)
    assert (failed.code, failed.message) == (
        "bad_result",
        "The result of a step cannot be kept: object has no form as JSON.",
    )


async def test_a_key_is_used_once(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    async def agent(run: AgentRun) -> None:
        for _ in range(2):
            await run.step("same", asyncio.sleep, 0)

    assert isinstance((await harness.ask(agent))[-1], RunFailed)
    assert "The key “same” was used before in this Run." in caplog.text


async def test_code_that_knows_a_kept_key_no_more_shows_its_progress(harness: Harness) -> None:
    killed = asyncio.Event()

    async def agent(run: AgentRun) -> None:
        if run.attempt == 1:
            await run.step("old", asyncio.sleep, 0)
            killed.set()
            await asyncio.Event().wait()
        await run.progress("too early")
        await run.step("new", asyncio.sleep, 0)
        await run.progress("now")

    log = await killed_and_taken_over(harness, agent, killed)

    assert [fact.label for fact in among(log, RunProgressed)] == ["now"]


async def test_another_input_under_a_kept_key_is_logged(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    attempts: list[int] = []
    killed = asyncio.Event()

    async def keep(value: int) -> int:
        return value

    async def agent(run: AgentRun) -> None:
        attempts.append(run.attempt)
        if await run.step("keep", keep, run.attempt) != 1:
            raise AgentFailed("new", "The kept result was not used.")
        if run.attempt == 1:
            killed.set()
            await asyncio.Event().wait()

    with caplog.at_level(logging.WARNING):
        log = await killed_and_taken_over(harness, agent, killed)

    assert attempts == [1, 2]
    assert isinstance(log[-1], RunCompleted)
    assert "The step “keep” was begun with another input before." in caplog.text
