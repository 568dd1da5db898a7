"""Steps: what was done is kept, and no later attempt does it again (P9)."""

import asyncio
import logging
import tracemalloc

import pytest
from django.db import connection
from msgspec import UNSET

from agents.sdk import AgentFailed, AgentRun, Declined, StepFailed, StepUnknown
from sessions_core import bridge
from sessions_core.models import Blob, Run, Step
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import (
    MessageCompleted,
    RunCompleted,
    RunFailed,
    RunProgressed,
    RunRestarted,
    StepCompleted,
)
from sessions_core.services import steps
from sessions_core.services.steps import EVENT_BYTES, PAGE_BYTES, ROW_BYTES
from tests.agents.facts import among, text
from tests.agents.harness import Harness

pytestmark = pytest.mark.django_db(transaction=True)


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

    log = await harness.ask_and_lose_worker(agent, work.is_killed)

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

    await harness.ask_and_lose_worker(agent, killed)

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

    await harness.ask_and_lose_worker(agent, killed)

    assert raised == ["The step “pay” was cut off, and must not be done twice."]


async def test_the_clock_and_the_dice_are_the_same_in_every_attempt(harness: Harness) -> None:
    seen: list[tuple[object, float]] = []
    killed = asyncio.Event()

    async def agent(run: AgentRun) -> None:
        seen.append((await run.now(), run.random.random()))
        if len(seen) == 1:
            killed.set()
            await asyncio.Event().wait()

    await harness.ask_and_lose_worker(agent, killed)

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
        with pytest.raises(StepFailed, match="TimeoutError"):
            await run.step("slow", asyncio.Event().wait, timeout=0.01)

    assert isinstance((await harness.ask(agent))[-1], RunCompleted)


class TooBusy(AgentFailed):
    """An error of an agent's own."""


@pytest.mark.parametrize("idempotent", [True, False])
@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (ConnectionError("refused\0"), StepFailed("ConnectionError", "refused\ufffd", tries=2)),
        (TooBusy("busy", "All are busy.", retry=True), AgentFailed("busy", "All are busy.", retry=True)),
        (Declined("expired", "never"), Declined("expired", "never")),
    ],
)
async def test_an_error_is_kept_and_raised_in_every_attempt(
    harness: Harness, error: Exception, raised: Exception, *, idempotent: bool
) -> None:
    tries: list[int] = []
    caught: list[Exception] = []
    killed = asyncio.Event()

    async def agent(run: AgentRun) -> None:
        async def fail() -> None:
            tries.append(run.attempt)
            raise error

        try:
            await run.step("fail", fail, retries=1, backoff=(0, 0), idempotent=idempotent)
        except (StepFailed, AgentFailed, Declined) as failed:
            caught.append(failed)
        if run.attempt == 1:
            killed.set()
            await asyncio.Event().wait()

    log = await harness.ask_and_lose_worker(agent, killed)

    assert tries == [1, 1]
    assert [(type(each), vars(each), str(each)) for each in caught] == [(type(raised), vars(raised), str(raised))] * 2
    assert [(fact.key, fact.result) for fact in among(log, StepCompleted)] == [("fail", UNSET)]
    assert "refused" not in str(among(log, StepCompleted))  # it may hold a secret


@pytest.mark.parametrize("idempotent", [True, False])
async def test_a_result_that_cannot_be_kept_is_an_error_that_is_kept(harness: Harness, *, idempotent: bool) -> None:
    done: list[int] = []
    caught: list[str] = []
    killed = asyncio.Event()

    async def agent(run: AgentRun) -> None:
        async def strange() -> object:
            done.append(run.attempt)
            return object()

        try:
            await run.step("strange", strange, idempotent=idempotent)
        except AgentFailed as failed:
            caught.append(failed.code)
        if run.attempt == 1:
            killed.set()
            await asyncio.Event().wait()

    await harness.ask_and_lose_worker(agent, killed)

    assert (done, caught) == ([1], ["bad_result"] * 2)


async def test_that_nobody_knows_is_said_in_every_attempt(harness: Harness) -> None:
    said: list[str] = []
    done: list[int] = []
    killed = asyncio.Event()

    async def agent(run: AgentRun) -> None:
        async def pay() -> None:
            done.append(run.attempt)
            killed.set()
            await asyncio.Event().wait()

        try:
            await run.step("pay", pay, idempotent=False)
        except StepUnknown as unknown:
            said.append(str(unknown))
        await run.ask(["yes"], "Was it paid?")

    await harness.ask_and_lose_worker(agent, killed)
    await harness.answer_ask("yes")
    log = await harness.go_on()

    assert (len(said), len(set(said)), done) == (2, 1, [1])
    assert isinstance(log[-1], RunCompleted)


async def test_a_step_that_waits_was_not_cut_off(harness: Harness) -> None:
    async def agent(run: AgentRun) -> None:
        async def work() -> str:
            return str(await run.ask(["yes"], "Shall I?"))

        assert await run.step("work", work, idempotent=False) == "yes"

    await harness.ask(agent)
    await harness.answer_ask("yes")

    assert isinstance((await harness.go_on())[-1], RunCompleted)


async def test_keys_within_a_step_are_its_own_and_are_used_again_when_it_is_tried_again(harness: Harness) -> None:
    done: list[str] = []

    async def agent(run: AgentRun) -> None:
        async def note(name: str) -> str:
            done.append(name)
            if len(done) in {2, 3}:
                raise ConnectionError
            return name

        async def work(name: str) -> list[str]:
            first = await run.step("first", note, f"{name}1")
            await run.now()
            return [first, await run.step("second", note, f"{name}2")]

        assert await run.step("a", work, "a", retries=2, backoff=(0, 0)) == ["a1", "a2"]
        assert await run.step("b", work, "b") == ["b1", "b2"]

    assert isinstance((await harness.ask(agent))[-1], RunCompleted)
    assert done == ["a1", "a2", "a2", "a2", "b1", "b2"]


async def test_a_step_that_failed_within_another_is_named_by_its_first_error(harness: Harness) -> None:
    async def agent(run: AgentRun) -> None:
        async def fail() -> None:
            raise ConnectionError("refused")

        async def work() -> None:
            await run.step("inner", fail)

        with pytest.raises(StepFailed, match="ConnectionError: refused"):
            await run.step("outer", work)
        await run.step("alone", fail)

    assert isinstance((await harness.ask(agent))[-1], RunFailed)
    assert (await harness.row()).exception_class == "ConnectionError"


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


def keep_steps(harness: Harness, count: int, size: int) -> None:
    """Keeps so many Steps `s1`, `s2`, … for the Run, each with a text as its result."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO step (session_id, run_id, key, ordinal, digest, fence, result, size, completed_at)"
            " SELECT %(session)s, %(run)s, 's' || n, n, '', 1, to_json(n || repeat('x', %(size)s)), %(size)s, now()"
            " FROM generate_series(1, %(count)s) n",
            {"session": harness.session, "run": harness.run, "size": size, "count": count},
        )


async def test_a_run_of_many_steps_goes_on_in_little_memory(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    count, size, pages = 10_000, 2_000, 0
    read_results = steps.read_results

    def counted(claim: Claim, key: str) -> dict[str, bytes]:
        nonlocal pages
        pages += 1
        return read_results(claim, key)

    async def never() -> None:
        raise AssertionError

    async def agent(run: AgentRun) -> None:
        for n in range(1, count + 1):
            assert (await run.step(f"s{n}", never)).rstrip("x") == str(n)
        peaks.append(tracemalloc.get_traced_memory()[1])

    peaks: list[int] = []
    await harness.request(agent)
    await bridge.run(keep_steps, harness, count, size)
    await bridge.run(lambda: Run.objects.update(fence=1))
    monkeypatch.setattr(steps, "read_results", counted)
    tracemalloc.start()
    try:
        log = await harness.execute(harness.run)
    finally:
        tracemalloc.stop()

    assert isinstance(log[-1], RunCompleted)
    assert peaks[0] < count * size / 2
    assert pages <= 1 + count * size / PAGE_BYTES


async def test_large_results_are_read_one_by_one_and_only_where_they_are_asked_for(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    killed = asyncio.Event()
    read_results = steps.read_results

    def noted(claim: Claim, key: str) -> dict[str, bytes]:
        asked.append(key)
        return read_results(claim, key)

    async def make(size: int) -> str:
        return "x" * size

    async def agent(run: AgentRun) -> None:
        for key, size in [("a", 1), ("b", ROW_BYTES), ("c", ROW_BYTES), ("d", 1), ("e", ROW_BYTES)]:
            if run.attempt == 1 or key != "c":
                assert len(await run.step(key, make, size)) == size
        if run.attempt == 1:
            killed.set()
            await asyncio.Event().wait()

    monkeypatch.setattr(steps, "read_results", noted)
    log = await harness.ask_and_lose_worker(agent, killed)

    assert isinstance(log[-1], RunCompleted)
    assert asked == ["b", "e"]


async def test_an_agent_that_asks_for_nothing_kept_costs_no_query(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = asyncio.Event()

    async def agent(run: AgentRun) -> None:
        if run.attempt == 1:
            await run.step("a", asyncio.sleep, 0)
            killed.set()
            await asyncio.Event().wait()

    monkeypatch.setattr(steps, "read", None)
    monkeypatch.setattr(steps, "read_other_keys", None)

    assert isinstance((await harness.ask_and_lose_worker(agent, killed))[-1], RunCompleted)


async def test_a_key_is_used_once(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    async def agent(run: AgentRun) -> None:
        for _ in range(2):
            await run.step("same", asyncio.sleep, 0)

    assert isinstance((await harness.ask(agent))[-1], RunFailed)
    assert "The key “same” was used before in this Run." in caplog.text


async def test_a_key_of_the_sdk_itself_cannot_be_given(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    async def agent(run: AgentRun) -> None:
        await run.step("@state", asyncio.sleep, 0)

    assert isinstance((await harness.ask(agent))[-1], RunFailed)
    assert "A key cannot begin with @" in caplog.text


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

    log = await harness.ask_and_lose_worker(agent, killed)

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
        log = await harness.ask_and_lose_worker(agent, killed)

    assert attempts == [1, 2]
    assert isinstance(log[-1], RunCompleted)
    assert "The step “keep” was begun with another input before." in caplog.text
