"""Whatever an agent does, its Run ends once, and says why."""

import asyncio
import threading

import pytest
from pytest_django import Settings

from agents.sdk import AgentFailed, AgentRun, agent, registry
from sessions_core import bridge
from sessions_core.protocol.author import Author
from sessions_core.protocol.events import MessageCompleted, RunFailed, RunProgressed
from sessions_core.services import sessions
from tests.agents.facts import completed, ends, of_kind, text
from tests.agents.harness import NAME, Harness
from tests.support.waiting import DEADLINE_S, eventually

pytestmark = pytest.mark.django_db(transaction=True)


async def test_what_an_agent_raises_for_people_is_the_runs_end(harness: Harness) -> None:
    async def fail(run: AgentRun) -> None:
        async with run.message() as message:
            await message.append("half")
            raise AgentFailed("no_ink", "The printer is out of ink.", retry=True)

    log = await harness.ask(fail)

    assert log[-1] == RunFailed(code="no_ink", message="The printer is out of ink.", retry=True)
    message = await bridge.run(completed, harness.session)
    assert (message.state, text(message)) == ("failed", "half")


@pytest.mark.parametrize("error", [ZeroDivisionError("secret detail"), SystemExit(1), RecursionError()])
async def test_people_do_not_read_the_details_of_a_fault_the_log_file_does(
    harness: Harness, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(run: AgentRun) -> None:
        raise error

    log = await harness.ask(fail)

    assert isinstance(log[-1], RunFailed)
    assert (log[-1].code, log[-1].retry) == ("agent_error", True)
    assert "secret" not in log[-1].message
    assert type(error).__name__ in caplog.text


async def test_an_agent_that_cancels_itself_has_failed(harness: Harness) -> None:
    async def cancel(run: AgentRun) -> None:
        raise asyncio.CancelledError

    await harness.ask(cancel)

    assert await bridge.run(ends, harness.session) == ["run.failed"]


async def test_an_agent_that_writes_nothing_completes(harness: Harness) -> None:
    async def rest(run: AgentRun) -> None:
        await asyncio.sleep(0)

    await harness.ask(rest)

    assert await bridge.run(ends, harness.session) == ["run.completed"]


async def test_progress_is_in_the_log(harness: Harness) -> None:
    async def work(run: AgentRun) -> None:
        await run.progress("Reading", 1, 3)

    log = await harness.ask(work)

    assert RunProgressed(label="Reading", done=1, total=3) in log


@pytest.mark.parametrize("unfit", ["\x00", "\ud800"])
async def test_text_that_the_log_cannot_hold_is_replaced(harness: Harness, unfit: str) -> None:
    async def fail(run: AgentRun) -> None:
        await run.progress(f"a{unfit}b")
        raise AgentFailed("odd", f"c{unfit}d")

    log = await harness.ask(fail)

    assert RunProgressed(label="a\ufffdb") in log
    assert log[-1] == RunFailed(code="odd", message="c\ufffdd", retry=False)


async def test_each_message_of_a_run_is_completed(harness: Harness) -> None:
    async def work(run: AgentRun) -> None:
        for word in ("one", "two"):
            async with run.message() as message:
                await message.append(word)

    await harness.ask(work)

    messages = await bridge.run(of_kind, harness.session, MessageCompleted)
    assert [text(message) for message in messages] == ["one", "two"]


async def test_an_agent_that_takes_too_long_is_ended_and_its_text_kept(harness: Harness, settings: Settings) -> None:
    settings.RUN_SECONDS = 1

    async def dawdle(run: AgentRun) -> None:
        async with run.message() as message:
            await message.append("well")
            await asyncio.sleep(60)

    log = await harness.ask(dawdle)

    assert isinstance(log[-1], RunFailed)
    assert (log[-1].code, log[-1].retry) == ("limit_reached", True)
    assert text(await bridge.run(completed, harness.session)) == "well"


async def test_a_run_waits_until_its_agent_is_prepared_and_blocks_no_other(harness: Harness, owner: Author) -> None:
    loaded = threading.Event()

    async def work(run: AgentRun) -> None:
        async with run.message() as message:
            await message.append(f"loaded: {loaded.is_set()}")

    agent(NAME, title="Tried", description="", prepare=lambda: loaded.wait(DEADLINE_S))(work)
    waiting = asyncio.create_task(harness.execute(await harness.post("hello", agent=NAME)))
    await eventually(lambda: harness.runner.running)
    other = Harness(await bridge.run(sessions.create, by=owner, agent="script"), owner)
    await harness.runner.execute(other.session, await other.post('{"words": 3, "every_ms": 0}', agent="script"))
    assert await bridge.run(ends, other.session) == ["run.completed"]

    loaded.set()
    await waiting

    assert text(await bridge.run(completed, harness.session)) == "loaded: True"


async def test_an_agent_whose_preparation_fails_runs_nevertheless(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(run: AgentRun) -> None: ...

    agent(NAME, title="Tried", description="", prepare=lambda: 1 / 0)(work)

    await harness.execute(await harness.post("hello", agent=NAME))

    assert await bridge.run(ends, harness.session) == ["run.completed"]
    assert "could not be prepared" in caplog.text


async def test_an_agent_that_is_not_installed_any_more_is_a_sentence(harness: Harness) -> None:
    async def work(run: AgentRun) -> None: ...

    run = await harness.request(work)
    registry._registered.pop(NAME)

    log = await harness.execute(run)

    assert isinstance(log[-1], RunFailed)
    assert log[-1].code == "no_such_agent"
