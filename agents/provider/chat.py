"""The model of CHAT_MODEL. Importing this takes more than a second: only a worker does, before its first Run."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Final

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
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers import Provider, infer_provider_class
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider
from pydantic_ai.settings import ModelSettings

from agents.provider import failures
from agents.sdk import Message, PromptMessage

INSTRUCTIONS: Final = "You are a helpful assistant. Answer in Markdown."
STRICT: Final = OpenAIModelProfile(
    openai_chat_streaming_requires_finish_reason=True
)  # else half an answer passes for whole
RETRIES: Final = 1  # by the provider's client, before the first token: a person waits and sees nothing
LETTERS_A_TOKEN: Final = 4  # of English, for the estimate of what a stopped answer used
NO_KEY: Final = "none"  # an endpoint of one's own may want no key, but its client wants one

logger = logging.getLogger(__name__)


async def answer(turns: Sequence[PromptMessage], message: Message, *, instructions: str = INSTRUCTIONS) -> None:
    """Streams the model's answer to the last turn into the message, following the instructions. Raises AgentFailed, with a
    sentence that people understand. When the answer does not come to its end, its usage is an estimate.
    """
    given = sum(len(turn.text) for turn in turns)
    with _understandable():
        try:
            await _stream(model(), history(turns, instructions=instructions), message)
        finally:
            if message.usage is None:
                tokens = (given // LETTERS_A_TOKEN, message.length // LETTERS_A_TOKEN)
                message.used(input_tokens=tokens[0], output_tokens=tokens[1], estimated=True)


def prepare() -> None:
    """Makes the model's client ahead of the first answer; what is wrong with the settings is told by that answer."""
    with suppress(UserError):
        model()


@cache
def model() -> Model:
    """The model with its HTTP client, made once in each process. Raises UserError where the settings name none."""
    name, key, url = settings.CHAT_MODEL, settings.CHAT_MODEL_KEY, settings.CHAT_MODEL_URL
    if not url:
        return infer_model(name, provider_factory=lambda provider: _provider(provider, key))
    provider = OpenAICompatibleProvider("chat-model", base_url=url, api_key=key or NO_KEY)
    provider.client.max_retries = RETRIES
    return OpenAIChatModel(name, provider=provider, profile=STRICT)


def history(turns: Sequence[PromptMessage], *, instructions: str) -> list[ModelMessage]:
    """The turns in pydantic-ai's form: neighbouring ones of one side become one message, as some providers demand."""
    messages: list[ModelMessage] = []
    for turn in turns:
        match turn.role, messages[-1] if messages else None:
            case "user", ModelRequest(parts=parts):
                messages[-1] = ModelRequest(parts=[*parts, UserPromptPart(turn.text)], instructions=instructions)
            case "user", _:
                messages.append(ModelRequest(parts=[UserPromptPart(turn.text)], instructions=instructions))
            case "assistant", ModelResponse(parts=parts):
                messages[-1] = ModelResponse(parts=[*parts, TextPart(turn.text)])
            case "assistant", _:
                messages.append(ModelResponse(parts=[TextPart(turn.text)]))
    return messages


async def _stream(model: Model, messages: Sequence[ModelMessage], message: Message) -> None:
    patience = float(settings.MODEL_SECONDS)
    silence = ModelSettings(timeout=patience, first_event_timeout=patience)
    async with model_request_stream(model, messages, model_settings=silence) as stream:
        async for event in stream:
            await _hear(event, message)
        usage = stream.usage
        if usage.output_tokens:
            message.used(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)


async def _hear(event: ModelResponseStreamEvent, message: Message) -> None:
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


def _provider(name: str, key: str) -> Provider[object]:
    try:
        kind = infer_provider_class(name)
    except (ImportError, ValueError) as error:  # not known, or its client is not installed
        raise UserError(str(error)) from error
    provider = kind(**({"api_key": key} if key else {}))
    provider.client.max_retries = RETRIES
    return provider


@contextmanager
def _understandable() -> Iterator[None]:
    """Turns what pydantic-ai raises into AgentFailed."""
    try:
        yield
    except UserError as error:
        raise failures.unusable(error) from error
    except AgentRunError as error:
        failed = failures.failure(error)
        logger.warning("The model failed: %s (%s)", failed.code, type(error).__name__)
        raise failed from error
