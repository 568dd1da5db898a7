"""What providers really send, each family with its quirks (tests/fixtures/providers), through the real model client."""

from typing import Final, NamedTuple

import pytest

from sessions_core import bridge
from sessions_core.protocol.events import Ended, MessageCompleted, Usage
from tests.agents.assistant import Assistant
from tests.agents.facts import completed, text
from tests.support.fake_provider import SCRIPTS

pytestmark = pytest.mark.django_db(transaction=True)

GUESSED: Final = None  # the usage, where the provider did not say it


class Whole(NamedTuple):
    """The answer of a script whose Run completes."""

    text: str
    usage: tuple[int, int] | None = (10, 4)
    reasoning: str = ""
    ended: Ended | None = None


class Failed(NamedTuple):
    """The failure of a script, and what was said before it."""

    code: str
    text: str = "Good"


SCRIPTED: Final[dict[str, Whole | Failed]] = {
    # A second choice mixed in, at either place; a usage-only chunk; empty and missing fields.
    "openai": Whole("Good day."),
    "openai_refusal": Whole("I cannot help with that.", usage=(10, 6), ended="refused"),
    "openai_truncated": Whole("Good", usage=(10, 1), ended="truncated"),
    # Empty choices first, a choice without a delta in mid-answer, filter results everywhere.
    "azure": Whole("Good day."),
    "azure_filtered": Whole("Good", ended="filtered"),
    # Pings before and in the answer.
    "anthropic": Whole("Good day."),
    "anthropic_refusal": Whole("I cannot help with that.", usage=(10, 6), ended="refused"),
    "anthropic_error": Failed("model_overloaded"),
    # CRLF, and the running totals of the usage on each chunk.
    "gemini": Whole("Good day."),
    "gemini_filtered": Whole("Good", usage=(10, 1), ended="filtered"),
    "gemini_silent": Failed("model_silent", text=""),
    # Content as a list of parts, thinking parts and references among them.
    "mistral": Whole("Good day.", reasoning="They greet."),
    "mistral_truncated": Whole("", usage=(10, 2), reasoning="They greet.", ended="truncated"),
    # Reasoning under two names at once, running totals and a usage-only chunk, an error object in mid-stream.
    "vllm": Whole("Good day.", reasoning="They greet."),
    "vllm_error": Failed("model_error"),
    "vllm_error_of_old": Failed("model_cut"),
    # Characters of several bytes, unescaped; U+2028, which is no line break here; an error in a field of its own.
    "llamacpp": Whole("こんにちは 👩‍🚀 Grüße\u2028.", reasoning="挨拶"),
    "llamacpp_error": Failed("model_cut"),
    "llamacpp_silent": Failed("model_silent", text=""),
    # Tool calls that nobody asked for.
    "ollama": Whole("Good day.", reasoning="They greet."),
    "ollama_tool": Failed("model_silent", text=""),
    # Comments before and in the answer; two chunks after the end.
    "openrouter": Whole("Good day.", reasoning="They greet."),
    "openrouter_error": Failed("model_error"),
    "openrouter_error_without_object": Failed("model_error"),
    # Gateways: no finish reason but [DONE], and neither; an emoji cut in two; something else in a 200.
    "gateway_without_finish": Whole("Good day.", usage=GUESSED),
    "gateway_cut": Failed("model_cut", text="Good [DONE]"),
    "gateway_half_characters": Whole("Good 😀.", usage=GUESSED),
    "gateway_html": Failed("model_error", text=""),
    "gateway_json": Failed("model_error", text=""),
}


def test_each_script_is_played() -> None:
    assert {file.stem for file in SCRIPTS.glob("*.http")} == SCRIPTED.keys()


@pytest.mark.parametrize("piece", [1 << 20, 1])
@pytest.mark.parametrize("script", [name for name, expected in SCRIPTED.items() if isinstance(expected, Whole)])
async def test_what_a_provider_sends_is_understood(assistant: Assistant, script: str, piece: int) -> None:
    end = (await assistant.answer(script=script, piece=piece))[-1]

    expected, message = SCRIPTED[script], await bridge.run(completed, assistant.session)
    assert isinstance(expected, Whole)
    assert (end.kind, message.state) == ("run.completed", "complete")
    assert (reasoning(message), text(message), ended(message)) == (expected.reasoning, expected.text, expected.ended)
    assert isinstance(message.usage, Usage)
    assert message.usage.estimated == (expected.usage is GUESSED)
    assert expected.usage in {GUESSED, (message.usage.input_tokens, message.usage.output_tokens)}


@pytest.mark.parametrize("script", [name for name, expected in SCRIPTED.items() if isinstance(expected, Failed)])
async def test_what_a_provider_breaks_off_is_a_sentence(assistant: Assistant, script: str) -> None:
    failed = await assistant.fail(script=script)

    expected, message = SCRIPTED[script], await bridge.run(completed, assistant.session)
    assert isinstance(expected, Failed)
    assert (failed.code, failed.retry) == (expected.code, True)
    assert (message.state, text(message), ended(message)) == ("failed", expected.text, None)


def reasoning(message: MessageCompleted) -> str:
    return "".join(part.text for part in message.parts if part.type == "reasoning")


def ended(message: MessageCompleted) -> str | None:
    return message.ended or None
