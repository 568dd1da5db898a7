"""The model of CHAT_MODEL. Importing this takes more than a second, so only workers do it, before their first Run."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final, cast

from django.conf import settings
from pydantic_ai.direct import model_request_stream
from pydantic_ai.exceptions import AgentRunError, UserError
from pydantic_ai.messages import (
    FinalResultEvent,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartEndEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    UserPromptPart,
)
from pydantic_ai.models import Model, infer_model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers import Provider, infer_provider_class
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider
from pydantic_ai.settings import ModelSettings

from agents.provider import ending, failures
from agents.provider.compatible import CompatibleModel
from agents.sdk import Message, PromptMessage

if TYPE_CHECKING:
    from openai import AsyncOpenAI

INSTRUCTIONS: Final = "You are a helpful assistant. Answer in Markdown."
RETRIES: Final = 1  # by the provider's client, before the first token: meanwhile a person waits and sees nothing
CODE_POINTS_PER_TOKEN: Final = 4  # of English, to estimate the usage of a stopped answer
NO_KEY: Final = "none"  # the client insists on a key, even where the endpoint needs none

logger = logging.getLogger(__name__)


async def answer(prompt: Sequence[PromptMessage], message: Message, *, instructions: str = INSTRUCTIONS) -> None:
    """Streams the model's answer to the prompt into the message, and notes its usage; an estimate when the answer is cut short.

    Raises AgentFailed with a sentence that people understand.
    """
    with _agent_failures():
        try:
            await _stream(model(), model_messages(prompt, instructions=instructions), message)
        finally:
            if message.usage is None:
                _estimate_usage(prompt, message)


def prepare() -> None:
    """Makes the model's client before the first answer needs it. Ignores wrong settings: the first answer says what is wrong."""
    with suppress(UserError):
        model()


@cache
def model() -> Model:
    """Returns the model with its HTTP client; one for each process. Raises UserError when the settings name none."""
    name, key, url = settings.CHAT_MODEL, settings.CHAT_MODEL_KEY, settings.CHAT_MODEL_URL
    if not url:
        found = infer_model(name, provider_factory=lambda provider: _provider(provider, key))
        if type(found) is OpenAIChatModel:  # a subclass knows its provider better
            return CompatibleModel(found.model_name, provider=cast("Provider[AsyncOpenAI]", found.provider))
        return found
    provider = OpenAICompatibleProvider("chat-model", base_url=url, api_key=key or NO_KEY)
    provider.client.max_retries = RETRIES
    return CompatibleModel(name, provider=provider)


def model_messages(prompt: Sequence[PromptMessage], *, instructions: str) -> list[ModelMessage]:
    """Returns the prompt in pydantic-ai's form. Joins neighbours of one role, as after an answer that failed: strict servers
    refuse a conversation whose roles do not alternate.
    """
    messages: list[ModelMessage] = []
    for role, turns in groupby(prompt, key=attrgetter("role")):
        # One part: pydantic-ai sends each part of a request as a message of its own.
        text = "\n\n".join(shown.text for shown in turns)
        if role == "user":
            messages.append(ModelRequest(parts=[UserPromptPart(text)], instructions=instructions))
        else:
            messages.append(ModelResponse(parts=[TextPart(text)]))
    return messages


async def _stream(model: Model, messages: Sequence[ModelMessage], message: Message) -> None:
    timeout_s = float(settings.MODEL_SECONDS)
    timeouts = ModelSettings(timeout=timeout_s, first_event_timeout=timeout_s)
    before = message.text
    async with model_request_stream(model, messages, model_settings=timeouts) as stream:
        async for event in stream:
            await _append(event, message)
        usage = stream.usage
        if usage.output_tokens:
            message.used(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)
        await ending.note(stream, message, was_silent=not message.text.removeprefix(before).strip())


async def _append(event: ModelResponseStreamEvent, message: Message) -> None:
    match event:
        case PartStartEvent(part=TextPart(content=text)) | PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
            await message.append(text)
        case (
            PartStartEvent(part=ThinkingPart(content=text))
            | PartDeltaEvent(delta=ThinkingPartDelta(content_delta=text))
        ):
            await message.reason(text or "")
        case PartStartEvent() | PartDeltaEvent() | PartEndEvent() | FinalResultEvent():
            pass


def _estimate_usage(prompt: Sequence[PromptMessage], message: Message) -> None:
    given = sum(len(shown.text) for shown in prompt)
    message.used(
        input_tokens=given // CODE_POINTS_PER_TOKEN,
        output_tokens=message.length // CODE_POINTS_PER_TOKEN,
        estimated=True,
    )


def _provider(name: str, key: str) -> Provider[object]:
    try:
        provider_class = infer_provider_class(name)
    except (ImportError, ValueError) as error:  # its client library is not installed, or the name is unknown
        raise UserError(str(error)) from error
    provider = provider_class(**({"api_key": key} if key else {}))
    provider.client.max_retries = RETRIES
    return provider


@contextmanager
def _agent_failures() -> Iterator[None]:
    """Raises AgentFailed for what pydantic-ai raises."""
    try:
        yield
    except UserError as error:
        raise failures.from_settings(error) from error
    except AgentRunError as error:
        failed = failures.from_provider(error)
        logger.warning("The model failed: %s (%s)", failed.code, type(error).__name__)
        raise failed from error
