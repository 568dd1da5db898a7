"""A Message is completed once, and written while it is open. An agent that does otherwise is told so in its own line."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from agents.sdk import AgentRun, Message
from agents.sdk.failed import AlreadyEnded
from sessions_core import bridge
from sessions_core.protocol.events import MessageCompleted, RunFailed
from tests.agents.facts import completed, ends, of_kind, text
from tests.agents.harness import Harness
from tests.db.acts import facts

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_message_can_say_that_it_is_not_the_whole_answer(harness: Harness) -> None:
    async def work(run: AgentRun) -> None:
        async with run.message() as message:
            await message.append("It was a dark and")
            message.ended = "truncated"

    await harness.ask(work)

    message = await bridge.run(completed, harness.session)
    assert (message.state, message.ended) == ("complete", "truncated")


async def test_completing_inside_the_block_fails_in_the_agents_own_line(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    async def twice(run: AgentRun) -> None:
        async with run.message() as message:
            await message.append("once")
            await message.complete()

    log = await harness.ask(twice)

    assert isinstance(log[-1], RunFailed)
    assert log[-1].code == "agent_error"
    assert [text(one) for one in await bridge.run(of_kind, harness.session, MessageCompleted)] == ["once"]
    assert "remove the call of `complete()`" in caplog.text
    assert f'{__file__}", line {twice.__code__.co_firstlineno + 1}, in twice' in caplog.text


async def append(message: Message) -> None:
    await message.append("late")


async def reason(message: Message) -> None:
    await message.reason("late")


async def complete(message: Message) -> None:
    await message.complete()


async def note_usage(message: Message) -> None:
    message.used(input_tokens=1, output_tokens=1)


async def note_end(message: Message) -> None:
    message.ended = "refused"


@pytest.mark.parametrize("act", [append, reason, complete, note_usage, note_end])
@pytest.mark.parametrize("raises", [False, True])
async def test_nothing_is_added_to_a_message_after_its_block(
    harness: Harness,
    act: Callable[[Message], Awaitable[None]],
    raises: bool,  # noqa: FBT001  # the other way out of the block
) -> None:
    async def work(run: AgentRun) -> None:
        message: Message
        with suppress(asyncio.QueueEmpty):
            async with run.message() as message:
                await message.append("in time")
                if raises:
                    asyncio.Queue[int]().get_nowait()
        with pytest.raises(AlreadyEnded, match="This message"):
            await act(message)

    await harness.ask(work)

    assert await bridge.run(ends, harness.session) == ["run.completed"]
    messages = await bridge.run(of_kind, harness.session, MessageCompleted)
    assert [(text(message), message.state, message.usage or None) for message in messages] == [
        ("in time", "complete", None)
    ]


async def test_a_prompt_that_no_model_was_asked_with_is_no_fault_of_the_agent(harness: Harness) -> None:
    """Python warns of a coroutine that nobody has awaited, and the tests take that for an error."""

    async def work(run: AgentRun) -> None:
        async with run.message() as message:
            await message.append("done")
        with pytest.raises(AlreadyEnded, match="This message"):
            await message.model(run.prompt())

    await harness.ask(work)

    assert await bridge.run(ends, harness.session) == ["run.completed"]


class Outliving:
    """An agent that leaves a task behind; the task writes when `over` is set."""

    def __init__(self, act: str, *, waits: bool = False) -> None:
        self.act, self.waits = act, waits
        self.begun, self.over = asyncio.Event(), asyncio.Event()

    async def work(self, run: AgentRun) -> None:
        self.task = asyncio.create_task(self._write_late(run))
        await self.begun.wait()
        if self.waits:
            await asyncio.sleep(60)

    async def _write_late(self, run: AgentRun) -> None:
        async with run.message() as message:
            self.begun.set()
            await self.over.wait()
            if self.act == "progress":
                await run.progress("late")
            await message.append("late")


@pytest.mark.parametrize("act", ["append", "progress"])
async def test_a_task_that_outlives_its_run_is_told_so(harness: Harness, act: str) -> None:
    agent = Outliving(act)
    before = await harness.ask(agent.work)

    agent.over.set()
    with pytest.raises(AlreadyEnded, match="Await its tasks"):
        await agent.task

    assert await bridge.run(facts, harness.session) == before
    assert await bridge.run(ends, harness.session) == ["run.completed"]


async def test_a_task_that_outlives_a_stop_is_cancelled(harness: Harness) -> None:
    agent = Outliving("append", waits=True)
    answering = await harness.start(agent.work, agent.begun)
    await harness.stop()
    await answering

    agent.over.set()
    with pytest.raises(asyncio.CancelledError):
        await agent.task

    assert await bridge.run(ends, harness.session) == ["run.cancelled"]
