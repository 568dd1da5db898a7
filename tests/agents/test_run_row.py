"""The row of a Run keeps what operators ask for: when it said something, what it cost, why it failed, and who worked on it."""

from typing import TYPE_CHECKING

import pytest
from pytest_django import Settings

from agents.sdk import AgentFailed, AgentRun
from sessions_core.protocol.events import RunCompleted
from tests.agents.assistant import Assistant
from tests.agents.harness import Harness

if TYPE_CHECKING:
    from tests.support.fake_provider import Provider

pytestmark = pytest.mark.django_db(transaction=True)


async def test_it_keeps_when_the_first_text_came(harness: Harness) -> None:
    async def answer(run: AgentRun) -> None:
        await run.progress("Thinking")
        async with run.message() as message:
            assert (await harness.row()).first_text_at is None
            await message.append("hello")

    await harness.ask(answer)

    row = await harness.row()
    assert row.claimed_at
    assert row.first_text_at
    assert row.ended_at
    assert row.claimed_at < row.first_text_at < row.ended_at


async def test_it_keeps_no_first_text_of_a_run_without_one(harness: Harness) -> None:
    async def nothing(run: AgentRun) -> None: ...

    await harness.ask(nothing)

    assert (await harness.row()).first_text_at is None


async def test_it_keeps_the_tokens_and_the_requests(assistant: Assistant) -> None:
    end = (await assistant.answer(words=3))[-1]

    row = await assistant.row()
    assert isinstance(end, RunCompleted)
    assert end.usage
    assert (row.requests, row.output_tokens, row.estimated) == (1, 3, False)
    assert row.input_tokens == end.usage.input_tokens > 0


async def test_it_keeps_the_cost(
    assistant: Assistant, provider: "Provider", settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CHAT_MODEL, settings.CHAT_MODEL_URL = "openai-chat:gpt-4o-mini", ""
    monkeypatch.setenv("OPENAI_BASE_URL", provider.url)

    end = (await assistant.answer(words=3))[-1]

    row = await assistant.row()
    assert isinstance(end, RunCompleted)
    assert end.usage
    assert row.cost_usd
    assert float(row.cost_usd) == pytest.approx(end.usage.cost_usd, abs=1e-6)


async def test_it_keeps_the_steps(harness: Harness) -> None:
    async def work(run: AgentRun) -> None:
        for name in ("a", "b"):
            await run.step(name, _nothing)

    await harness.ask(work)

    assert (await harness.row()).step_count == 2


async def test_it_keeps_the_code_and_the_sentence_of_a_failure(harness: Harness) -> None:
    async def fail(run: AgentRun) -> None:
        raise AgentFailed("no_disk", "The disk is away.") from OSError("sk-secret")

    await harness.ask(fail)

    row = await harness.row()
    assert (row.error_code, row.error, row.exception_class) == ("no_disk", "The disk is away.", "OSError")


async def test_it_keeps_the_class_of_what_an_agent_has_raised(harness: Harness) -> None:
    class BrokenError(Exception): ...

    async def fail(run: AgentRun) -> None:
        raise BrokenError("sk-secret")

    await harness.ask(fail)

    row = await harness.row()
    assert row.error_code == "agent_error"
    assert row.exception_class.endswith("BrokenError")
    assert "sk-secret" not in row.exception_class + row.error


async def test_it_keeps_the_worker_and_the_version_of_software_and_agent(harness: Harness, settings: Settings) -> None:
    settings.VERSION = "1.2.3"

    async def nothing(run: AgentRun) -> None: ...

    await harness.ask(nothing)

    row = await harness.row()
    assert (row.worker, row.worker_version, row.agent_version) == ("w1", "1.2.3", 1)


async def _nothing() -> None: ...
