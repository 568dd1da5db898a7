"""The code of an agent changes while its Run is at work or waits: `version=` says that the Run cannot go on with it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from agents.runner.runner import Runner
from agents.sdk import AgentRun, agent
from agents.sdk.registry import AgentFunction
from sessions_core import bridge
from sessions_core.models import Run, Step
from sessions_core.protocol.events import (
    AskClosed,
    AskOpened,
    MessageCompleted,
    RunCompleted,
    RunFailed,
    RunRestarted,
    RunResumed,
    RunWaiting,
    StepCompleted,
)
from sessions_core.protocol.ids import SessionId
from sessions_core.protocol.timeline import fold
from sessions_core.protocol.timeline_types import Timeline
from sessions_core.services import signals
from tests.agents.facts import among
from tests.agents.harness import NAME, Harness
from tests.db.acts import new_client_id, read_events

pytestmark = pytest.mark.django_db(transaction=True)


def install(function: AgentFunction, version: int) -> None:
    agent(NAME, title="Changed", description="", version=version)(function)


async def begin(harness: Harness, function: AgentFunction, *, version: int = 1) -> list[Any]:
    """Executes the Run until it waits."""
    install(function, version)
    log = await harness.execute(await harness.post("hello", agent=NAME))
    assert isinstance(log[-1], RunWaiting)
    return list(log)


async def go_on(harness: Harness, function: AgentFunction, *, version: int) -> list[Any]:
    """A worker with this version of the agent is woken for the Run, which it may go on with."""
    install(function, version)
    harness.runner = Runner("w2")
    await bridge.run(Run.objects.filter(pk=harness.run, resume_at=None).update, resume_at=Now())
    return list(await harness.execute(harness.run))


def messages_seen(session: SessionId) -> list[str]:
    timeline = Timeline()
    fold(timeline, read_events(session))
    return [
        part.text for message in timeline.messages.values() for part in message.parts if message.role == "assistant"
    ]


async def one(name: str) -> str:
    return name


async def old(run: AgentRun) -> None:
    await run.step("load", one, "old")
    async with run.message() as message:
        await message.append("old code")
    async with run.message() as message:
        await message.append("half ")
        await run.ask(["yes", "no"], "Old?")


async def new(run: AgentRun) -> None:
    assert not run.is_resumed
    loaded = await run.step("load", one, "new")
    async with run.message() as message:
        await message.append(f"{loaded} code")
    await run.ask(["yes"], "New?")


async def test_a_run_that_waits_begins_anew_with_a_raised_version(harness: Harness) -> None:
    await begin(harness, old)

    log = await go_on(harness, new, version=2)

    restarted = among(log, RunRestarted)
    assert [(fact.attempt, len(fact.voided)) for fact in restarted] == [(1, 2)]
    assert [fact.title for fact in among(log, AskOpened)] == ["Old?", "New?"]
    assert [fact.reason for fact in among(log, AskClosed)] == ["run_ended"]
    assert [fact.result for fact in among(log, StepCompleted)] == ["old", "new"]
    assert await bridge.run(messages_seen, harness.session) == ["new code"]
    assert isinstance(log[-1], RunWaiting)
    row = await harness.row()
    assert (row.agent_version, row.attempt) == (2, 1)


async def test_what_a_run_says_anew_is_not_taken_for_said_when_it_goes_on_again(harness: Harness) -> None:
    await begin(harness, old)
    await go_on(harness, new, version=2)

    log = await go_on(harness, new_and_done, version=2)

    assert await bridge.run(messages_seen, harness.session) == ["new code"]
    assert len(among(log, MessageCompleted)) == 2  # of the old code and the new one
    assert isinstance(log[-1], RunCompleted)


async def new_and_done(run: AgentRun) -> None:
    assert await run.step("load", one, "newer") == "new"
    async with run.message() as message:
        await message.append("new code")


async def test_with_the_same_version_it_goes_on(harness: Harness) -> None:
    await begin(harness, old, version=3)

    log = await go_on(harness, old, version=3)

    assert len(among(log, RunResumed)) == 1
    assert not among(log, RunRestarted)


async def test_a_run_that_has_done_what_must_not_be_done_twice_ends(harness: Harness) -> None:
    async def pay(run: AgentRun) -> None:
        await run.step("pay", one, "", idempotent=False)
        await run.wait_for("sent")

    await begin(harness, pay)

    failed = (await go_on(harness, pay, version=2))[-1]

    assert isinstance(failed, RunFailed)
    assert (failed.code, failed.retry) == ("code_changed", True)
    assert "must not be done twice" in failed.message
    assert (await harness.row()).error_code == "code_changed"


async def test_a_worker_with_older_code_leaves_the_run_to_those_with_newer_code(harness: Harness) -> None:
    await begin(harness, old, version=2)

    log = await go_on(harness, old, version=1)

    assert isinstance(log[-1], RunWaiting)
    assert (await harness.row()).fence == 2  # as it was parked: nobody has claimed it

    log = await go_on(harness, old, version=2)

    assert len(among(log, RunResumed)) == 1


async def test_when_nobody_has_the_newer_code_the_run_ends(harness: Harness) -> None:
    await begin(harness, old, version=2)
    await bridge.run(Run.objects.filter(pk=harness.run).update, resume_at=Now() - timedelta(seconds=61))

    failed = (await go_on(harness, old, version=1))[-1]

    assert isinstance(failed, RunFailed)
    assert failed.code == "code_changed"
    assert "newer version" in failed.message


async def test_a_signal_that_the_old_code_has_taken_is_there_for_the_new_one(harness: Harness) -> None:
    taken: list[object] = []

    async def wait(run: AgentRun) -> None:
        taken.append(await run.wait_for("paid"))
        await run.wait_for("sent")

    await begin(harness, wait)
    by, client_id = harness.owner, new_client_id()
    await bridge.run(signals.send, harness.session, harness.run, "paid", by=by, client_id=client_id, value=5)
    await go_on(harness, wait, version=1)

    await go_on(harness, wait, version=2)

    assert taken == [5, 5]


async def test_a_run_that_begins_anew_finds_the_state_as_the_old_code_has_left_it(harness: Harness) -> None:
    seen: list[list[int]] = []

    async def keep(run: AgentRun) -> None:
        run.state.setdefault("versions", []).append(len(seen))
        seen.append(list(run.state["versions"]))
        await run.wait_for("sent")

    await begin(harness, keep)

    await go_on(harness, keep, version=2)

    assert seen == [[0], [0, 1]]


async def test_the_row_keeps_the_worker_and_both_versions(harness: Harness) -> None:
    from django.conf import settings

    await begin(harness, old, version=7)

    row = await harness.row()

    assert (row.worker, row.worker_version, row.agent_version) == ("w1", settings.VERSION, 7)
    assert await bridge.run(Step.objects.filter(once=True).count) == 0
