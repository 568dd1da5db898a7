"""`message.model`: requests and tool calls in turn, each made once, whatever happens to the worker."""

import asyncio
import json
from collections import Counter
from typing import Final

import pytest

from agents.sdk import AgentFailed, AgentRun, Tool, agent, tool
from sessions_core import bridge
from sessions_core.protocol.events import (
    MessageCompleted,
    MessageDelta,
    RunCompleted,
    RunSteered,
    ToolCalled,
    ToolFailed,
    ToolProgressed,
    ToolReturned,
)
from tests.agents.facts import ends, of_kind, words
from tests.agents.harness import NAME
from tests.agents.tooled import Loss, Tooled, answer_of, calls_of
from tests.support.fake_provider import Provider
from tests.support.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)

STEPS: Final = 7  # of a Run with two calls: a request, the begin and the end of its call, twice; and the last request


@tool(idempotent=True)
async def look_up(run: AgentRun, word: str = "") -> str:
    """Looks a word up."""
    await run.progress("Looking", 1, 2)
    return f"{word} is a word"


@tool
async def fail(run: AgentRun) -> None:
    """Fails."""
    raise ValueError("sk-secret")


@tool
async def give_up(run: AgentRun) -> None:
    """Gives up."""
    raise AgentFailed("given_up", "The notes are gone.")


async def test_the_model_is_shown_what_its_tool_returned(tooled: Tooled, provider: Provider) -> None:
    log = await tooled.use(look_up, rounds=[calls_of("look_up", word="tea")], say=2, words=3)

    assert [message["role"] for message in provider.seen[1].prompt] == ["system", "user", "assistant", "tool"]
    assert provider.seen[1].prompt[-1]["content"] == "tea is a word"
    assert [seen.tools for seen in provider.seen] == [["look_up"], ["look_up"]]
    assert answer_of(log) == "s1 s2" + words(3)
    assert provider.calls_per_step == 1


async def test_the_tools_of_the_agent_are_those_of_each_message(tooled: Tooled, provider: Provider) -> None:
    @agent(NAME, title="Tooled", description="", tools=[look_up])
    async def answer(run: AgentRun) -> None:
        async with run.message() as message:
            await message.model(run.prompt())
            await message.model(run.prompt(), tools=[fail], note="Again.")
            await message.model(run.prompt(), tools=[], note="And again.")

    order = json.dumps({"rounds": [calls_of("look_up", word="tea")], "words": 1})
    log = await tooled.execute(await tooled.post(order, agent=NAME))

    assert isinstance(log[-1], RunCompleted)
    assert [seen.tools for seen in provider.seen] == [["look_up"], ["look_up"], ["fail"], []]


async def test_people_see_each_call_between_the_words_around_it(tooled: Tooled) -> None:
    log = await tooled.use(look_up, rounds=[calls_of("look_up", word="tea")], say=1, words=1)

    of_interest = MessageDelta | ToolCalled | ToolProgressed | ToolReturned
    kinds = [fact.kind for fact in log if isinstance(fact, of_interest)]
    assert kinds == ["message.delta", "tool.called", "tool.progressed", "tool.returned", "message.delta"]
    (call,) = await tooled.calls()
    assert (call.name, call.input, call.output, call.state) == ("look_up", {"word": "tea"}, "tea is a word", "returned")
    assert call.message is not None


async def test_calls_of_one_answer_are_performed_side_by_side(tooled: Tooled, provider: Provider) -> None:
    both_here = asyncio.Barrier(2)

    @tool
    async def meet(run: AgentRun) -> str:
        """Meets the other call."""
        await both_here.wait()
        return run.key

    await tooled.use(meet, rounds=[calls_of("meet", "meet")])

    keys = [message["content"] for message in provider.seen[1].prompt if message["role"] == "tool"]
    assert len(set(keys)) == 2


async def test_usage_is_the_sum_of_all_requests(tooled: Tooled, provider: Provider) -> None:
    log = await tooled.use(look_up, rounds=[calls_of("look_up"), calls_of("look_up")], words=4)

    end, completed = log[-1], [fact for fact in log if isinstance(fact, MessageCompleted)][-1]
    assert isinstance(end, RunCompleted)
    assert end.usage == completed.usage
    assert end.usage
    assert (end.usage.requests, end.usage.output_tokens, end.usage.estimated) == (3, 3 + 3 + 4, False)


@pytest.mark.parametrize(
    ("tools", "name", "arguments", "told"),
    [
        ((fail,), "fail", "{}", "The tool failed: ValueError."),
        ((fail,), "fail", "{", "The arguments do not fit"),
        ((fail,), "fail", '{"more": 1}', "more"),
        ((fail,), "nothing", "{}", "There is no such tool. There are: fail."),
    ],
)
async def test_the_model_is_told_what_went_wrong_and_goes_on(  # noqa: PLR0917  # columns of the table
    tooled: Tooled, provider: Provider, tools: tuple[Tool, ...], name: str, arguments: str, told: str
) -> None:
    log = await tooled.use(*tools, rounds=[[{"name": name, "arguments": arguments}]], words=2)

    assert told in str(provider.seen[1].prompt[-1]["content"])
    assert "sk-secret" not in str(provider.seen[1].prompt)
    assert [fact.kind for fact in log if isinstance(fact, ToolCalled | ToolFailed)] == ["tool.called", "tool.failed"]
    assert answer_of(log) == words(2)


async def test_a_tool_may_end_the_run_with_a_sentence(tooled: Tooled, provider: Provider) -> None:
    log = await tooled.use(give_up, rounds=[calls_of("give_up")])

    assert log[-1].kind == "run.failed"
    (call,) = await tooled.calls()
    assert (call.state, call.error, call.unknown) == ("failed", "The notes are gone.", False)
    assert len(provider.seen) == 1


async def test_a_tool_that_takes_too_long_is_stopped(tooled: Tooled, provider: Provider) -> None:
    @tool(timeout=0.01)
    async def dawdle(run: AgentRun) -> None:
        """Dawdles."""
        await asyncio.Event().wait()

    await tooled.use(dawdle, rounds=[calls_of("dawdle")])

    assert "longer than 0.01 s" in str(provider.seen[1].prompt[-1]["content"])


async def test_stop_in_a_tool_ends_the_tool(tooled: Tooled, provider: Provider) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    @tool
    async def wait(run: AgentRun) -> None:
        """Waits."""
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    answering = asyncio.create_task(tooled.use(wait, rounds=[calls_of("wait")]))
    await begun.wait()
    await tooled.stop()
    await answering

    assert ended.is_set()
    assert await bridge.run(ends, tooled.session) == ["run.cancelled"]
    (failed,) = await bridge.run(of_kind, tooled.session, ToolFailed)
    assert failed.unknown
    assert len(provider.seen) == 1


async def test_stop_in_a_later_request_closes_its_connection(tooled: Tooled, provider: Provider) -> None:
    answering = asyncio.create_task(tooled.use(look_up, rounds=[calls_of("look_up", word="tea")], words=20, wait_at=10))
    await eventually(lambda: len(provider.seen) == 1)
    provider.allow(20)
    await eventually(lambda: len(provider.seen) == 2 and provider.seen[1].chunks == 10)

    await tooled.stop()
    await answering

    await eventually(lambda: provider.seen[1].closed)
    completed = (await bridge.run(of_kind, tooled.session, MessageCompleted))[-1]
    assert completed.usage
    assert completed.usage.estimated


@pytest.mark.parametrize("loss", ["before", "after"])
@pytest.mark.parametrize("at", range(1, STEPS + 1))
async def test_a_lost_worker_costs_no_work_twice(tooled: Tooled, provider: Provider, at: int, loss: Loss) -> None:
    keys: list[str] = []

    @tool(idempotent=True)
    async def count(run: AgentRun) -> int:
        """Counts."""
        keys.append(run.key)
        return len(set(keys))

    run = await tooled.request_use(count, rounds=[calls_of("count"), calls_of("count")], say=2, words=5)
    assert await tooled.lose_worker(run, at, loss)

    log = await tooled.execute(run)

    assert answer_of(log) == "s1 s2s1 s2" + words(5)
    assert log[-1].kind == "run.completed"
    assert [(call.state, call.output) for call in await tooled.calls()] == [("returned", 1), ("returned", 2)]
    assert len(set(keys)) == 2
    lost_in_it = loss == "before" and at in {3, 6}  # the call was made, and its result was not kept
    assert max(Counter(keys).values()) == (2 if lost_in_it else 1)
    lost_answer = loss == "before" and at in {1, 4, 7}
    assert provider.calls_per_step == (2 if lost_answer else 1)
    assert not any(seen.fault for seen in provider.seen)


async def test_what_people_write_meanwhile_is_shown_with_the_next_request(tooled: Tooled, provider: Provider) -> None:
    @tool
    async def interrupt(run: AgentRun) -> str:
        """Is interrupted by Alice."""
        await tooled.steer("Be brief.")
        return "done"

    log = await tooled.use(interrupt, rounds=[calls_of("interrupt")], say=1)

    assert [message["role"] for message in provider.seen[1].prompt[1:]] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]
    assert provider.seen[1].prompt[-1]["content"] == "Be brief."
    assert [fact.consumed for fact in log if isinstance(fact, RunSteered)] == [True]
    assert not any(seen.fault for seen in provider.seen)
