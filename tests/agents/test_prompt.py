"""`run.prompt`: read when it is asked for, with the names of those who write, and within a budget."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Final

import pytest
from django.contrib.auth.models import User

from agents.runner.runner import Runner
from agents.sdk import AgentRun, Prompt, PromptMessage, agent, tool
from agents.sdk.prompt import tokens_of
from agents.sdk.registry import AgentFunction
from sessions_core import bridge
from sessions_core.models import Participant, Run, Step
from sessions_core.protocol.events import Fact, RunCompleted, RunFailed
from tests.agents.assistant import Assistant
from tests.agents.harness import NAME, Harness
from tests.agents.tooled import Tooled, calls_of
from tests.db.acts import author, post_message
from tests.support.fake_provider import Provider
from tests.support.statements import sent

pytestmark = pytest.mark.django_db(transaction=True)

LAPSED: Final = "2020-01-01T00:00:00Z"
BUDGET: Final = 100


def said(prompt: Sequence[PromptMessage]) -> list[str]:
    return [message.text for message in prompt]


def install(function: AgentFunction) -> None:
    agent(NAME, title="Tried", description="")(function)


async def ask(harness: Harness, function: AgentFunction, text: str = "hello") -> list[Fact]:
    install(function)
    return await harness.execute(await harness.post(text, agent=NAME))


async def turn(harness: Harness, text: str, **how: Any) -> Prompt:  # noqa: ANN401  # arguments of `run.prompt`
    """Alice writes `text`, and an agent that looks at the conversation so answers `re: <text>`. Returns what it has seen."""
    prompts: list[Prompt] = []

    async def answer(run: AgentRun) -> None:
        prompts.append(await run.prompt(**how))
        async with run.message() as message:
            await message.append(f"re: {text}")

    log = await ask(harness, answer, text)
    assert isinstance(log[-1], RunCompleted)
    return prompts[0]


async def test_an_agent_that_never_looks_pays_nothing(harness: Harness) -> None:
    async def look_away(run: AgentRun) -> None: ...

    async def look(run: AgentRun) -> None:
        await run.prompt()

    with sent() as without:
        await ask(harness, look_away)
    with sent() as with_it:
        await ask(harness, look)

    assert not [statement for statement in without if "OVER newest" in statement]
    assert [statement for statement in with_it if "OVER newest" in statement]


async def test_each_message_has_its_author_and_its_time(harness: Harness) -> None:
    await turn(harness, "one")

    prompt = await turn(harness, "two")

    assert [(message.author, message.role) for message in prompt] == [
        ("Alice", "user"),
        ("Tried", "assistant"),
        ("Alice", "user"),
    ]
    times = [message.at for message in prompt if message.at is not None]
    assert times == sorted(times)
    assert len(times) == 3


async def test_the_names_stand_before_the_words_where_several_people_write(harness: Harness, bob: User) -> None:
    assert said(await turn(harness, "one")) == ["one"]
    await bridge.run(Participant.objects.create, session_id=harness.session, user=bob, role="editor")
    posted = await bridge.run(post_message, harness.session, author(bob), "hi", agent=NAME)
    await harness.execute(posted.run)

    assert said(await turn(harness, "two")) == ["Alice: one", "re: one", "Bob: hi", "re: one", "Alice: two"]
    assert said(await turn(harness, "three", names=False))[-1] == "three"


async def test_a_steer_has_a_name_where_the_messages_have(tooled: Tooled, provider: Provider) -> None:
    @tool
    async def interrupt(run: AgentRun) -> str:
        """Is interrupted by Alice."""
        await tooled.steer("Be brief.")
        return "done"

    async def answer(run: AgentRun) -> None:
        async with run.message() as message:
            await message.model(run.prompt(names=True), tools=[interrupt])

    order = json.dumps({"rounds": [calls_of("interrupt")]})
    await ask(tooled, answer, order)

    assert str(provider.seen[0].prompt[-1]["content"]).startswith("Alice: ")
    assert provider.seen[-1].prompt[-1]["content"] == "Alice: Be brief."


async def test_what_a_budget_leaves_out_is_said_to_agent_and_model(harness: Harness) -> None:
    for n in range(2):
        assert (await turn(harness, f"{n}" * 100, budget=BUDGET)).cut is None

    prompt = await turn(harness, "2" * 100, budget=BUDGET)

    assert prompt.cut is not None
    assert said(prompt)[0].startswith("(Earlier messages of this conversation, from before ")
    assert said(prompt)[1:] == ["2" * 100]
    assert prompt.cut.first == prompt[1].message
    assert prompt.cut.at == prompt[1].at


async def test_each_prompt_begins_as_the_one_before_did_until_the_budget_is_full(
    assistant: Assistant, provider: Provider
) -> None:
    async def answer(run: AgentRun) -> None:
        async with run.message() as message:
            await message.model(run.prompt(budget=300))

    install(answer)
    for n in range(12):
        await assistant.execute(await assistant.post(f'{{"words": 30, "every_ms": 0, "retry_after": {n}}}', agent=NAME))

    prompts = [seen.prompt[1:] for seen in provider.seen]
    assert [seen.fault for seen in provider.seen] == [None] * 12
    assert all(sum(tokens_of(str(message["content"])) for message in prompt) <= 330 for prompt in prompts)
    cuts = [n for n in range(1, 12) if prompts[n][: len(prompts[n - 1])] != prompts[n - 1]]
    assert 1 <= len(cuts) <= 3


async def test_a_summary_is_made_once_and_told_to_all_later_runs(harness: Harness) -> None:
    asked: list[list[str]] = []

    async def summarise(messages: Sequence[PromptMessage]) -> str:
        asked.append(said(messages))
        return f"summary {len(asked)}"

    prompts = [await turn(harness, f"{n}" * 100, budget=BUDGET, summary=summarise) for n in range(9)]

    notes = [said(prompt)[0] for prompt in prompts if prompt.cut]
    assert [note.rpartition(": ")[2] for note in notes] == sorted(note.rpartition(": ")[2] for note in notes)
    assert len(asked) == len(set(notes)) > 1
    assert asked[0] == ["0" * 100, "re: " + "0" * 100, "1" * 100, "re: " + "1" * 100]
    assert asked[1][0] == notes[0]  # the next summary is made from the one before
    assert (await bridge.run(Step.objects.filter(key__startswith="summary-").count)) == len(asked)


async def test_a_summary_is_not_made_again_by_a_later_attempt(harness: Harness) -> None:
    asked: list[int] = []
    killed = asyncio.Event()

    async def summarise(messages: Sequence[PromptMessage]) -> str:
        asked.append(len(messages))
        return "summary"

    for n in range(3):
        await turn(harness, f"{n}" * 100)

    async def answer(run: AgentRun) -> None:
        prompt = await run.prompt(budget=BUDGET, summary=summarise)
        assert prompt.cut == (await run.prompt(budget=BUDGET, summary=summarise)).cut
        assert "A summary of them: summary" in prompt[0].text
        if run.attempt == 1:
            killed.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(ask(harness, answer))
    await killed.wait()
    await bridge.run(lambda: Run.objects.filter(pk=harness.run).update(lease_until=LAPSED))
    first, harness.runner = harness.runner, Runner("w2")
    log = await harness.execute(harness.run)
    first.drain()
    await task

    assert isinstance(log[-1], RunCompleted)
    assert len(asked) == 1


async def test_the_model_writes_the_summary_and_it_counts(assistant: Assistant, provider: Provider) -> None:
    for n in range(3):
        await turn(assistant, f"{n}" * 100)

    async def answer(run: AgentRun) -> None:
        prompt = await run.prompt(budget=BUDGET, summary=run.summarise)
        assert prompt.cut is not None
        assert prompt.cut.summary == " ".join(f"w{n}" for n in range(1, 21))
        assert run.usage is not None
        assert run.usage.requests == 1
        assert run.usage.output_tokens > 0

    log = await ask(assistant, answer)

    assert isinstance(log[-1], RunCompleted)
    (seen,) = provider.seen
    assert "Summarise" in str(seen.prompt[0]["content"])
    assert str(seen.prompt[1]["content"]).startswith("user: 000")


async def test_a_model_that_cannot_summarise_ends_the_run_with_a_sentence(
    assistant: Assistant, provider: Provider
) -> None:
    for n in range(3):
        await turn(assistant, f"{n}" * 100)
    await provider.__aexit__()

    async def answer(run: AgentRun) -> None:
        await run.prompt(budget=BUDGET, summary=run.summarise)

    failed = (await ask(assistant, answer))[-1]

    assert isinstance(failed, RunFailed)
    assert failed.code == "model_unreachable"
