"""What a model is shown after an answer that went wrong: a shape that every provider takes, whatever became of its calls."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from agents.sdk import AgentFailed, AgentRun, Prompt, agent, registry, tool
from sessions_core import bridge
from sessions_core.protocol.events import RunCompleted
from sessions_core.services import runs
from tests.agents.harness import NAME
from tests.agents.tooled import Tooled, calls_of
from tests.support.fake_provider import Provider
from tests.support.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)

INSTRUCTIONS: Final = "Answer."


@tool
async def hang(run: AgentRun) -> None:
    """Hangs."""
    await asyncio.Event().wait()


@tool
async def fail(run: AgentRun) -> None:
    """Fails."""
    raise ValueError("no")


@tool
async def give_up(run: AgentRun) -> None:
    """Gives up."""
    raise AgentFailed("given_up", "The notes are gone.")


@tool(approve=True)
async def send(run: AgentRun) -> None:
    """Sends."""


@tool(idempotent=True)
async def look_up(run: AgentRun) -> str:
    """Looks up."""
    return "found"


async def stopped_in_a_call(tooled: Tooled) -> None:
    task = asyncio.create_task(tooled.use(look_up, hang, rounds=[calls_of("look_up", "hang")], say=2))
    await eventually(lambda: _both_are_at_work(tooled))
    await tooled.stop()
    await task


async def stopped_while_a_call_waits_for_approval(tooled: Tooled) -> None:
    await tooled.use(send, look_up, rounds=[calls_of("look_up", "send")], say=2)
    await tooled.stop()


async def stopped_before_the_first_word(tooled: Tooled) -> None:
    run = await tooled.request_use(rounds=[])
    await tooled.stop()
    await tooled.execute(run)


async def failed_in_a_call(tooled: Tooled) -> None:
    await tooled.use(give_up, rounds=[calls_of("give_up")], say=2)


async def failed_after_a_call(tooled: Tooled) -> None:
    await tooled.use(fail, rounds=[calls_of("fail")], say=1, cut_after=1)


async def failed_before_the_first_word(tooled: Tooled) -> None:
    await tooled.use(status=500)


async def said_nothing_but_made_a_call(tooled: Tooled) -> None:
    await tooled.use(look_up, rounds=[calls_of("look_up")], words=0)


async def lost_its_worker_in_a_call_and_was_stopped(tooled: Tooled) -> None:
    run = await tooled.request_use(send, look_up, rounds=[calls_of("look_up", "look_up")], say=1)
    assert await tooled.lose_worker(run, 3, "before")
    await tooled.stop()
    await bridge.run(runs.end_lapsed)


async def went_well(tooled: Tooled) -> None:
    await tooled.use(look_up, rounds=[calls_of("look_up")], say=1)


BEFORE: Final = (
    stopped_in_a_call,
    stopped_while_a_call_waits_for_approval,
    stopped_before_the_first_word,
    failed_in_a_call,
    failed_after_a_call,
    failed_before_the_first_word,
    said_nothing_but_made_a_call,
    lost_its_worker_in_a_call_and_was_stopped,
    went_well,
)


@pytest.mark.parametrize("happened", BEFORE, ids=lambda happened: happened.__name__)
async def test_the_next_prompt_is_taken_by_a_strict_provider_and_by_pydantic_ai(
    tooled: Tooled, provider: Provider, happened: Callable[[Tooled], Awaitable[None]]
) -> None:
    await happened(tooled)
    prompts: list[Prompt] = []

    async def answer(run: AgentRun) -> None:
        prompts.append(await run.prompt())
        async with run.message() as message:
            await message.model(prompts[0])

    registry._registered.pop(NAME)
    agent(NAME, title="Reader", description="")(answer)
    log = await tooled.execute(await tooled.post(json.dumps({"words": 1}), agent=NAME))

    assert isinstance(log[-1], RunCompleted)
    assert provider.seen[-1].fault is None
    await _check(prompts[0])


async def _check(prompt: Prompt) -> None:
    """pydantic-ai reads the history, finds nothing to repair, and goes on with it."""
    from pydantic_ai import Agent
    from pydantic_ai.messages import ModelMessagesTypeAdapter, repair_messages
    from pydantic_ai.models.test import TestModel

    from agents.provider import history

    messages = history.model_messages(prompt, instructions=INSTRUCTIONS)
    assert [message.kind for message in messages] == ["request", "response"] * (len(messages) // 2) + ["request"]
    dumped = ModelMessagesTypeAdapter.dump_json(messages)
    assert ModelMessagesTypeAdapter.validate_json(dumped) == messages
    assert list(repair_messages(messages)) == messages
    await Agent(TestModel()).run(message_history=messages)


async def _both_are_at_work(tooled: Tooled) -> bool:
    return {call.state for call in await tooled.calls()} == {"returned", "called"}
