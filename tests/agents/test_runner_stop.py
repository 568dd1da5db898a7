"""A Run is ended from outside its agent: by Stop, by a worker that shuts down, by a lost lease or database."""

import asyncio
import contextlib
from collections.abc import Sequence

import pytest
from django.db import connection
from django.db.models.functions import Now
from pytest_django import Settings
from typing_extensions import override

from agents.runner import maintenance
from agents.runner.runner import Runner
from agents.runner.running import RunningAttempt
from agents.sdk import AgentRun
from agents.sdk.registry import AgentFunction
from sessions_core import bridge
from sessions_core.models import Run
from sessions_core.protocol.run_states import RunState
from sessions_core.services import runs
from sessions_core.services.dispatch import dispatcher
from tests.agents.facts import ends, said
from tests.agents.harness import Harness

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = "2000-01-01T00:00Z"


@pytest.fixture
def begun() -> asyncio.Event:
    """Set by the agent of a test when it has begun."""
    return asyncio.Event()


async def never(run: AgentRun) -> None:
    raise AssertionError(run)


async def test_stop_reaches_an_agent_that_swallows_it(harness: Harness, begun: asyncio.Event) -> None:
    async def swallow(run: AgentRun) -> None:
        async with run.message() as message:
            begun.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
            await message.append("one more thing")

    running = await harness.start(swallow, begun)
    await harness.stop()
    await running

    assert await bridge.run(ends, harness.session) == ["run.cancelled"]
    assert await bridge.run(said, harness.session) == ""


async def test_a_run_ends_without_an_agent_that_never_does(harness: Harness, begun: asyncio.Event) -> None:
    harness.runner = Runner("w1", grace_s=0.2)
    leave = asyncio.Event()

    async def cling(run: AgentRun) -> None:
        begun.set()
        while not leave.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await leave.wait()

    running = await harness.start(cling, begun)
    await harness.stop()
    await running
    leave.set()

    assert await bridge.run(ends, harness.session) == ["run.cancelled"]


async def test_a_stop_whose_hint_was_lost_is_seen_before_the_agent_begins(harness: Harness) -> None:
    class Stopped(Runner):
        """Alice presses Stop after this Runner has claimed the Run."""

        @override
        async def renew_leases(self, attempts: Sequence[RunningAttempt]) -> None:
            await harness.stop(hint=False)
            await super().renew_leases(attempts)

    harness.runner = Stopped("w1")
    await harness.ask(never)

    assert await bridge.run(ends, harness.session) == ["run.cancelled"]


async def test_the_heartbeat_brings_a_stop_whose_hint_was_lost(harness: Harness, begun: asyncio.Event) -> None:
    running = await harness.start(_wait(begun), begun)
    await harness.stop(hint=False)
    await harness.runner.renew_leases(harness.runner.running)
    await running

    assert await bridge.run(ends, harness.session) == ["run.cancelled"]


async def test_a_draining_runner_hands_back_and_claims_no_more(harness: Harness, begun: asyncio.Event) -> None:
    running = await harness.start(_wait(begun), begun)
    harness.runner.drain()
    await running
    await harness.runner.execute(harness.session, harness.run)

    assert await bridge.run(ends, harness.session) == []
    assert (await harness.row()).handed_back == 1
    assert await bridge.run(runs.claim, harness.session, harness.run, worker="w2") is not None


async def test_a_run_that_is_claimed_while_the_runner_begins_to_drain_is_handed_back(harness: Harness) -> None:
    running = asyncio.create_task(harness.execute(await harness.request(never)))
    await asyncio.sleep(0)  # begins the claim
    harness.runner.drain()
    await running

    assert await bridge.run(ends, harness.session) == []
    assert (await harness.row()).handed_back == 1


async def test_a_database_that_is_away_before_the_agent_begins_is_no_fault_of_the_agent(harness: Harness) -> None:
    class Unlucky(Runner):
        """Its database connection breaks after the claim."""

        @override
        async def renew_leases(self, attempts: Sequence[RunningAttempt]) -> None:
            await bridge.run(_break_connection)
            await super().renew_leases(attempts)

    harness.runner = Unlucky("w1")
    await harness.ask(never)

    assert await bridge.run(ends, harness.session) == []
    row = await harness.row()
    assert (row.state, row.attempt - row.handed_back) == (RunState.RUNNING, 0)


async def test_a_database_that_breaks_off_a_write_costs_no_attempt(harness: Harness) -> None:
    async def work(run: AgentRun) -> None:
        async with run.message() as message:
            await message.append("first")
            await bridge.run(_on_each_delta, "PERFORM pg_terminate_backend(pg_backend_pid())")  # as a restart does
            await message.append("lost")
            await asyncio.sleep(60)

    run = await harness.request(work)
    for attempt in range(1, runs.ATTEMPTS + 2):
        harness.runner = Runner(f"w{attempt}")
        try:
            await harness.runner.execute(harness.session, run)
        finally:
            await bridge.run(_let_writes_pass)
        row = await harness.row()
        assert (row.state, row.attempt, row.attempt - row.handed_back) == (RunState.RUNNING, attempt, 0)


async def test_what_can_never_be_written_ends_the_run_at_once(harness: Harness) -> None:
    async def work(run: AgentRun) -> None:
        async with run.message() as message:
            await bridge.run(
                _on_each_delta, "RAISE EXCEPTION USING errcode = '22021'"
            )  # a character that it does not take
            await message.append("lost")
            await asyncio.sleep(60)

    run = await harness.request(work)
    try:
        await harness.runner.execute(harness.session, run)
    finally:
        await bridge.run(_let_writes_pass)

    assert await bridge.run(ends, harness.session) == ["run.failed"]


async def test_a_pause_of_the_database_takes_no_run_from_its_worker(harness: Harness, begun: asyncio.Event) -> None:
    running = await harness.start(_wait(begun), begun)
    await bridge.run(Run.objects.filter(pk=harness.run).update, lease_until=LONG_AGO)
    await harness.runner.renew_leases(harness.runner.running)

    assert not running.done()
    assert await bridge.run(Run.objects.filter(pk=harness.run, lease_until__gt=Now()).exists)
    await harness.stop()
    await running


async def test_a_run_that_another_worker_has_claimed_is_left_alone(harness: Harness, begun: asyncio.Event) -> None:
    more = asyncio.Event()

    async def work(run: AgentRun) -> None:
        async with run.message() as message:
            await message.append("old")
            begun.set()
            await more.wait()
            await message.append(" words")

    running = await harness.start(work, begun)
    await bridge.run(Run.objects.filter(pk=harness.run).update, lease_until=LONG_AGO)
    assert await bridge.run(runs.claim, harness.session, harness.run, worker="w2") is not None
    more.set()
    log = await running

    assert await bridge.run(ends, harness.session) == []
    assert log[-1].kind == "run.restarted"


async def test_when_the_log_cannot_be_written_the_run_is_left_to_a_new_attempt(harness: Harness) -> None:
    async def work(run: AgentRun) -> None:
        async with run.message() as message:
            await message.append("first")
            await bridge.run(_rename, "event", "event_away")
            await message.append("lost")
            await asyncio.sleep(60)

    run = await harness.request(work)
    try:
        await harness.runner.execute(harness.session, run)
    finally:
        await bridge.run(_rename, "event_away", "event")

    assert await bridge.run(ends, harness.session) == []
    assert (await harness.row()).state == RunState.RUNNING


@pytest.mark.parametrize(("max_runs", "woken"), [(0, False), (1, True)])
async def test_only_a_worker_with_room_wakes_waiting_runs(
    harness: Harness,
    settings: Settings,
    max_runs: int,
    woken: bool,  # noqa: FBT001  # a column of the table
) -> None:
    waiting = Run.objects.filter(pk=await harness.request(never))
    await bridge.run(waiting.update, woken_at=LONG_AGO)
    settings.WORKER_RUNS = max_runs
    settings.RUN_DISPATCHER = "tests.support.quiet.QuietDispatcher"  # its queue is empty
    dispatcher.cache_clear()

    await maintenance.wake_waiting(harness.runner)
    dispatcher.cache_clear()

    assert await bridge.run(waiting.filter(woken_at__gt="2001-01-01T00:00Z").exists) is woken


def _wait(begun: asyncio.Event) -> AgentFunction:
    async def wait(run: AgentRun) -> None:
        begun.set()
        await asyncio.sleep(60)

    return wait


def _break_connection() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def _on_each_delta(statement: str) -> None:
    """Lets PostgreSQL execute the statement before it inserts a delta."""
    with connection.cursor() as cursor:
        cursor.execute(f"""
            CREATE FUNCTION on_delta() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statement}; RETURN NEW; END $$;
            CREATE TRIGGER on_delta BEFORE INSERT ON event
            FOR EACH ROW WHEN (NEW.kind = 'message.delta') EXECUTE FUNCTION on_delta()
        """)


def _let_writes_pass() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER on_delta ON event; DROP FUNCTION on_delta")


def _rename(before: str, after: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {before} RENAME TO {after}")


async def test_a_worker_that_is_cut_off_from_the_database_leaves_runs_to_others(harness: Harness) -> None:
    harness.runner = Runner("w1", cut_off_s=0)
    harness.runner.note_answer()

    assert not await harness.runner.execute(harness.session, await harness.post("{}", agent="script"))

    assert (await harness.row()).attempt == 0
