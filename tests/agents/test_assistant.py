"""The Assistant with a real model client and a provider over real HTTP."""

import asyncio

import pytest
from pytest_django import Settings

from sessions_core import bridge
from sessions_core.protocol.events import MessageCompleted, Part, RunCompleted
from tests.agents.assistant import Assistant
from tests.agents.facts import completed, ends, of_kind, said, text, words
from tests.support.fake_provider import Provider
from tests.support.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)


async def test_the_answer_is_what_the_model_wrote(assistant: Assistant, provider: Provider) -> None:
    await assistant.answer(words=200, every_ms=1, reason=10)

    message = await bridge.run(completed, assistant.session)
    assert message.parts == (Part(type="reasoning", text=words(10, "r")), Part(type="text", text=words(200)))
    assert message.state == "complete"
    assert provider.seen[0].key == "Bearer sk-secret"


async def test_usage_is_what_the_provider_counted(assistant: Assistant) -> None:
    end = (await assistant.answer(words=7))[-1]

    assert isinstance(end, RunCompleted)
    assert end.usage
    assert end.usage.output_tokens == 7
    assert not end.usage.estimated


async def test_the_model_is_shown_the_whole_conversation(assistant: Assistant, provider: Provider) -> None:
    await assistant.answer(words=2)
    await assistant.answer(words=3)

    roles = [(message["role"], message["content"]) for message in provider.seen[1].prompt]
    assert roles[-3:] == [("user", '{"words": 2}'), ("assistant", "w1 w2"), ("user", '{"words": 3}')]
    assert provider.seen[1].prompt[: len(provider.seen[0].prompt)] == provider.seen[0].prompt


async def test_after_an_answer_that_failed_the_roles_still_alternate(assistant: Assistant, provider: Provider) -> None:
    await assistant.fail(cut_after=0)

    await assistant.execute(await assistant.post("Go on.", agent="assistant"))

    said = [(message["role"], message["content"]) for message in provider.seen[-1].prompt[1:]]
    assert said == [("user", '{"cut_after": 0}\n\nGo on.')]
    assert await bridge.run(ends, assistant.session) == ["run.failed", "run.completed"]


async def test_after_an_answer_that_was_stopped_the_roles_still_alternate(
    assistant: Assistant, provider: Provider
) -> None:
    answering = asyncio.create_task(assistant.answer(wait_at=0))
    await eventually(lambda: provider.seen)
    await assistant.stop()
    await answering

    await assistant.execute(await assistant.post("Go on.", agent="assistant"))

    assert [message["role"] for message in provider.seen[-1].prompt] == ["system", "user"]
    assert await bridge.run(ends, assistant.session) == ["run.cancelled", "run.completed"]


async def test_stop_closes_the_connection_to_the_model(assistant: Assistant, provider: Provider) -> None:
    answering = asyncio.create_task(assistant.answer(words=20, wait_at=10))
    await eventually(lambda: provider.seen and provider.seen[0].chunks == 10)

    await assistant.stop()
    await answering

    await eventually(lambda: provider.seen[0].closed)
    message = await bridge.run(completed, assistant.session)
    assert message.state == "cancelled"
    assert text(message) == await bridge.run(said, assistant.session)
    assert message.usage
    assert message.usage.estimated


async def test_stop_before_the_first_token_closes_the_connection_too(assistant: Assistant, provider: Provider) -> None:
    answering = asyncio.create_task(assistant.answer(wait_at=0))
    await eventually(lambda: provider.seen)

    await assistant.stop()
    await answering

    await eventually(lambda: provider.seen[0].closed)
    assert provider.seen[0].chunks == 0
    assert await bridge.run(ends, assistant.session) == ["run.cancelled"]


async def test_a_run_that_is_stopped_before_its_claim_calls_no_model(assistant: Assistant, provider: Provider) -> None:
    run = await assistant.post("{}", agent="assistant")
    await assistant.stop(hint=False)

    await assistant.execute(run)

    assert not provider.seen


@pytest.mark.parametrize(
    ("order", "code", "retry"),
    [
        ({"status": 401}, "model_key_refused", False),
        ({"status": 404}, "model_unknown", False),
        ({"status": 429}, "model_rate_limited", True),
        ({"status": 500}, "model_error", True),
        ({"status": 400}, "model_refused", False),
        ({"status": 400, "code": "context_length_exceeded"}, "model_too_long", False),
    ],
)
async def test_a_refusal_of_the_provider_is_a_sentence(
    assistant: Assistant,
    order: dict[str, object],
    code: str,
    retry: bool,  # noqa: FBT001  # a column of the table
) -> None:
    failed = await assistant.fail(**order)

    assert (failed.code, failed.retry) == (code, retry)
    assert failed.message.endswith((".", "CHAT_MODEL_KEY"))


@pytest.mark.parametrize("cut", ["rudely", "politely"])
async def test_an_answer_that_breaks_off_keeps_its_beginning(assistant: Assistant, cut: str) -> None:
    failed = await assistant.fail(words=100, cut_after=20, cut=cut)

    assert (failed.code, failed.retry) == ("model_cut", True)
    message = await bridge.run(completed, assistant.session)
    assert message.state == "failed"
    assert text(message) == words(20)


async def test_a_silent_model_is_given_up(assistant: Assistant, settings: Settings) -> None:
    settings.MODEL_SECONDS = 1

    failed = await assistant.fail(wait_at=0)

    assert (failed.code, failed.retry) == ("model_timeout", True)


async def test_a_model_that_falls_silent_in_mid_answer_is_given_up(assistant: Assistant, settings: Settings) -> None:
    settings.MODEL_SECONDS = 1

    failed = await assistant.fail(words=2, wait_at=1)

    assert (failed.code, failed.retry) == ("model_timeout", True)
    assert text(await bridge.run(completed, assistant.session)) == "w1"


async def test_a_model_that_cannot_be_reached_is_a_sentence(assistant: Assistant, settings: Settings) -> None:
    settings.CHAT_MODEL_URL = "http://127.0.0.1:1/v1"

    failed = await assistant.fail()

    assert (failed.code, failed.retry) == ("model_unreachable", True)


async def test_a_missing_key_is_a_sentence(
    assistant: Assistant, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    settings.CHAT_MODEL, settings.CHAT_MODEL_URL, settings.CHAT_MODEL_KEY = "openai:gpt-5", "", ""

    failed = await assistant.fail()

    assert (failed.code, failed.retry) == ("model_no_key", False)


async def test_an_unknown_kind_of_model_is_a_sentence(assistant: Assistant, settings: Settings) -> None:
    settings.CHAT_MODEL, settings.CHAT_MODEL_URL = "nobody:nothing", ""

    failed = await assistant.fail()

    assert failed.code == "model_unknown"


async def test_without_a_model_the_assistant_says_how_to_set_one(assistant: Assistant, settings: Settings) -> None:
    settings.CHAT_MODEL = ""

    failed = await assistant.fail()

    assert failed.code == "no_model"
    assert "CHAT_MODEL" in failed.message


@pytest.mark.parametrize("raw", [r"a\u0000b", r"a\ud800b"])
async def test_text_that_the_log_cannot_hold_is_replaced(assistant: Assistant, raw: str) -> None:
    await assistant.answer(words=2, raw=raw)

    message = await bridge.run(completed, assistant.session)
    assert text(message) == "a�b w2"
    assert len(await bridge.run(of_kind, assistant.session, MessageCompleted)) == 1
