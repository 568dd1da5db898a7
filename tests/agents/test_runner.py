"""Whatever an agent does, its Run ends, once, and says why."""

import asyncio
import contextlib
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
from django.db import connection
from pytest_django import Settings
from typing_extensions import override

from agents import catalogue as room
from agents.runner import upkeep
from agents.runner.runner import Runner
from agents.runner.running import Live
from agents.sdk import AgentFailed, AgentRun, agent, registry
from sessions_core import bridge
from sessions_core.models import Run
from sessions_core.protocol.author import Author
from sessions_core.protocol.events import Fact, MessageCompleted, RunFailed, RunProgressed
from sessions_core.protocol.ids import RunId, SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.services import runs
from tests.agents.facts import TERMINAL, check_folds, completed, of_kind, said, text
from tests.db.acts import client_id, facts, say

pytestmark = pytest.mark.django_db(transaction=True)

DOCS: Final = Path(__file__).parents[2] / "docs/how-to/write-an-agent.md"
Act = Callable[[AgentRun], Awaitable[None]]


class Desk:
    """Alice asks the agent of this test, and a Runner of this process answers."""

    def __init__(self, session: SessionId, owner: Author) -> None:
        self.session, self.owner = session, owner
        self.runner = Runner("w1")

    async def ask(self, act: Act, question: str = "hello") -> list[Fact]:
        """What the log holds when the Run has ended."""
        return await self.done(await self.begin(act, question))

    async def begin(self, act: Act, question: str = "hello") -> RunId:
        agent("tried", title="Tried", description="")(act)
        return (await bridge.run(say, self.session, self.owner, question, agent="tried")).run

    async def done(self, run: RunId) -> list[Fact]:
        await self.runner.execute(run)
        log = await bridge.run(facts, self.session)
        await bridge.run(check_folds, self.session)
        return log

    async def stop(self) -> None:
        stopped = await bridge.run(runs.cancel, self.session, by=self.owner, client_id=client_id())
        self.runner.cancel(stopped.runs)


@pytest.fixture
def desk(session: SessionId, owner: Author) -> Iterator[Desk]:
    yield Desk(session, owner)
    registry._found.pop("tried", None)


def ends(log: list[Fact]) -> list[str]:
    return [fact.kind for fact in log if fact.kind in TERMINAL]


async def test_what_an_agent_raises_for_people_is_the_runs_end(desk: Desk) -> None:
    async def fail(run: AgentRun) -> None:
        async with run.message() as message:
            await message.append("half")
            raise AgentFailed("no_ink", "The printer is out of ink.", retry=True)

    log = await desk.ask(fail)

    assert log[-1] == RunFailed(code="no_ink", message="The printer is out of ink.", retry=True)
    message = await bridge.run(completed, desk.session)
    assert (message.state, text(message)) == ("failed", "half")


@pytest.mark.parametrize("error", [ZeroDivisionError("secret detail"), SystemExit(1), RecursionError()])
async def test_a_fault_is_logged_and_told_in_general(
    desk: Desk, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(run: AgentRun) -> None:
        raise error

    log = await desk.ask(fail)

    assert isinstance(log[-1], RunFailed)
    assert (log[-1].code, log[-1].retry) == ("agent_error", True)
    assert "secret" not in log[-1].message
    assert type(error).__name__ in caplog.text


async def test_an_agent_that_cancels_itself_has_failed(desk: Desk) -> None:
    async def fail(run: AgentRun) -> None:
        raise asyncio.CancelledError

    log = await desk.ask(fail)

    assert ends(log) == ["run.failed"]


async def test_an_agent_that_says_nothing_is_done(desk: Desk) -> None:
    async def rest(run: AgentRun) -> None:
        await asyncio.sleep(0)

    assert ends(await desk.ask(rest)) == ["run.completed"]


async def test_progress_is_told(desk: Desk) -> None:
    async def work(run: AgentRun) -> None:
        await run.progress("Reading", 1, 3)

    log = await desk.ask(work)

    assert RunProgressed(label="Reading", done=1, total=3) in log


async def test_an_agent_that_takes_too_long_is_ended_and_its_words_kept(desk: Desk, settings: Settings) -> None:
    settings.RUN_SECONDS = 1

    async def dawdle(run: AgentRun) -> None:
        async with run.message() as message:
            await message.append("well")
            await asyncio.sleep(60)

    log = await desk.ask(dawdle)

    assert isinstance(log[-1], RunFailed)
    assert (log[-1].code, log[-1].retry) == ("too_slow", True)
    assert text(await bridge.run(completed, desk.session)) == "well"


async def test_stop_reaches_an_agent_that_swallows_it(desk: Desk) -> None:
    begun = asyncio.Event()

    async def cling(run: AgentRun) -> None:
        async with run.message() as message:
            begun.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
            await message.append("one more thing")

    run = await desk.begin(cling)
    running = asyncio.create_task(desk.done(run))
    await begun.wait()
    await desk.stop()
    log = await running

    assert ends(log) == ["run.cancelled"]
    assert await bridge.run(said, desk.session) == ""


async def test_a_run_ends_without_an_agent_that_will_not(desk: Desk) -> None:
    desk.runner = Runner("w1", grace_s=0.2)
    begun, leave = asyncio.Event(), asyncio.Event()

    async def cling(run: AgentRun) -> None:
        begun.set()
        while not leave.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await leave.wait()

    run = await desk.begin(cling)
    running = asyncio.create_task(desk.done(run))
    await begun.wait()
    await desk.stop()
    log = await running
    leave.set()

    assert ends(log) == ["run.cancelled"]


async def test_a_stop_that_nobody_heard_is_seen_before_the_agent_begins(desk: Desk) -> None:
    began = False

    async def work(run: AgentRun) -> None:
        nonlocal began
        began = True

    run = await desk.begin(work)
    claim = await bridge.run(runs.claim, run, worker="w1")
    assert claim is not None
    live = Live(claim)
    await bridge.run(runs.cancel, desk.session, by=desk.owner, client_id=client_id())

    await desk.runner._work(live)

    assert not began
    assert ends(await bridge.run(facts, desk.session)) == ["run.cancelled"]


async def test_the_heartbeat_tells_of_a_stop_whose_hint_was_lost(desk: Desk) -> None:
    begun = asyncio.Event()

    async def wait(run: AgentRun) -> None:
        begun.set()
        await asyncio.sleep(60)

    run = await desk.begin(wait)
    running = asyncio.create_task(desk.done(run))
    await begun.wait()
    await bridge.run(runs.cancel, desk.session, by=desk.owner, client_id=client_id())
    await desk.runner.renew(desk.runner.live)

    assert ends(await running) == ["run.cancelled"]


async def test_a_draining_runner_hands_back_and_takes_no_more(desk: Desk) -> None:
    begun = asyncio.Event()

    async def wait(run: AgentRun) -> None:
        begun.set()
        await asyncio.sleep(60)

    run = await desk.begin(wait)
    running = asyncio.create_task(desk.done(run))
    await begun.wait()
    desk.runner.drain()
    log = await running
    await desk.runner.execute(run)

    assert ends(log) == []
    assert (await bridge.run(Run.objects.get, pk=run)).handed_back == 1
    assert await bridge.run(runs.claim, run, worker="w2") is not None


async def test_a_run_claimed_while_the_worker_is_told_to_stop_is_handed_back(desk: Desk) -> None:
    async def never(run: AgentRun) -> None:
        raise AssertionError(run)

    run = await desk.begin(never)
    running = asyncio.create_task(desk.done(run))
    await asyncio.sleep(0)  # the claim is on its way
    desk.runner.drain()
    log = await running

    assert ends(log) == []
    assert (await bridge.run(Run.objects.get, pk=run)).handed_back == 1


async def test_a_database_that_is_away_before_the_agent_begins_is_no_fault_of_the_agent(desk: Desk) -> None:
    async def never(run: AgentRun) -> None:
        raise AssertionError(run)

    class Unlucky(Runner):
        """Its second job meets a connection that the server closed."""

        @override
        async def renew(self, lives: Sequence[Live]) -> None:
            await bridge.run(_cut_off)
            await super().renew(lives)

    desk.runner = Unlucky("w1")
    run = await desk.begin(never)
    log = await desk.done(run)

    assert ends(log) == []
    assert (await bridge.run(Run.objects.get, pk=run)).state == RunState.RUNNING


def _cut_off() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.parametrize(("room", "woken"), [(0, False), (1, True)])
async def test_only_a_worker_with_room_wakes_what_waits(
    desk: Desk,
    settings: Settings,
    room: int,
    woken: bool,  # noqa: FBT001  # of the cases above
) -> None:
    run = await desk.begin(_nobody)
    waiting = Run.objects.filter(pk=run)
    await bridge.run(waiting.update, woken_at="2000-01-01T00:00Z")
    settings.WORKER_RUNS = room

    await upkeep._sweep(desk.runner)

    assert await bridge.run(waiting.filter(woken_at__gt="2001-01-01T00:00Z").exists) is woken


async def test_a_run_that_another_worker_took_is_left_alone(desk: Desk) -> None:
    begun, more = asyncio.Event(), asyncio.Event()

    async def work(run: AgentRun) -> None:
        async with run.message() as message:
            await message.append("old")
            begun.set()
            await more.wait()
            await message.append(" words")

    run = await desk.begin(work)
    running = asyncio.create_task(desk.done(run))
    await begun.wait()
    await bridge.run(Run.objects.filter(pk=run).update, lease_until="2000-01-01T00:00Z")
    assert await bridge.run(runs.claim, run, worker="w2") is not None
    more.set()
    log = await running

    assert ends(log) == []
    assert log[-1].kind == "run.restarted"


async def test_when_the_log_cannot_be_written_the_run_is_left_to_a_new_attempt(desk: Desk) -> None:
    async def work(run: AgentRun) -> None:
        async with run.message() as message:
            await message.append("first")
            await bridge.run(_rename, "event", "event_away")
            await message.append("lost")
            await asyncio.sleep(60)

    run = await desk.begin(work)
    try:
        await desk.runner.execute(run)
    finally:
        await bridge.run(_rename, "event_away", "event")

    assert ends(await bridge.run(facts, desk.session)) == []
    assert (await bridge.run(Run.objects.get, pk=run)).state == RunState.RUNNING


def _rename(before: str, after: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {before} RENAME TO {after}")


async def test_an_agent_that_is_not_installed_any_more_is_a_sentence(desk: Desk) -> None:
    async def work(run: AgentRun) -> None: ...

    run = await desk.begin(work)
    registry._found.pop("tried")

    log = await desk.done(run)

    assert isinstance(log[-1], RunFailed)
    assert log[-1].code == "no_such_agent"


async def test_several_messages_of_a_run_are_each_completed(desk: Desk) -> None:
    async def work(run: AgentRun) -> None:
        for word in ("one", "two"):
            async with run.message() as message:
                await message.append(word)

    await desk.ask(work)

    messages = await bridge.run(of_kind, desk.session, MessageCompleted)
    assert [text(message) for message in messages] == ["one", "two"]


@pytest.fixture
async def copied(tmp_path: Path) -> AsyncIterator[Path]:
    """A folder whose files count as lying in agents/catalogue/."""
    room.__path__.append(str(tmp_path))
    yield tmp_path
    room.__path__.remove(str(tmp_path))
    for name in ("skimmer", "broken"):
        sys.modules.pop(f"agents.catalogue.{name}", None)
        registry._found.pop(name, None)
    registry._look.cache_clear()


async def test_the_example_of_the_documentation_runs(desk: Desk, copied: Path) -> None:
    example = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)[0]
    (copied / "skimmer.py").write_text(example)
    registry._look.cache_clear()

    run = (await bridge.run(say, desk.session, desk.owner, "A b. C d.\n\nE! F.", agent="skimmer")).run
    log = await desk.done(run)

    assert ends(log) == ["run.completed"]
    assert text(await bridge.run(completed, desk.session)) == "- A b.\n- E!\n"


def test_a_file_that_cannot_be_imported_harms_no_other(copied: Path, caplog: pytest.LogCaptureFixture) -> None:
    (copied / "broken.py").write_text("import nothing_of_that_name")
    registry._look.cache_clear()

    assert "guide" in registry.agents()
    assert "agents.catalogue.broken cannot be used" in caplog.text


def test_two_agents_cannot_have_one_name() -> None:
    registry.agents()

    with pytest.raises(registry.AgentTaken, match="give it a name of its own"):
        agent("guide", title="Other", description="")(_nobody)


async def _nobody(run: AgentRun) -> None: ...
