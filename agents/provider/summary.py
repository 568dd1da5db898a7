"""Summarises messages of a conversation: one request to the model, outside of any Message."""

from collections.abc import Callable, Sequence
from typing import Final

from django.conf import settings
from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import ModelMessage, ModelRequest, TextPart, UserPromptPart
from pydantic_ai.settings import ModelSettings

from agents.provider import chat, ending, failures, usage
from agents.sdk import PromptMessage
from sessions_core.protocol.events import Usage

INSTRUCTIONS: Final = (
    "Summarise the beginning of a conversation for a model that goes on with it and is not shown it. Keep what was decided,"
    " found out and left open, with names, figures and wishes. Write at most 300 words, in the language of the conversation,"
    " and nothing else."
)


async def summarise(messages: Sequence[PromptMessage], use: Callable[[Usage], None]) -> str:
    """Returns the summary. Tells `use` what the request has used, also when it was cut off. Raises AgentFailed."""
    text = "\n\n".join(f"{message.role}: {message.text}" for message in messages)
    asked: list[ModelMessage] = [ModelRequest(parts=[UserPromptPart(text)], instructions=INSTRUCTIONS)]
    timeout_s = float(settings.MODEL_SECONDS)
    limits = ModelSettings(timeout=timeout_s, first_event_timeout=timeout_s)
    used = usage.estimate(asked, written=0)
    try:
        with failures.for_people():
            async with model_request_stream(chat.model(), asked, model_settings=limits) as stream:
                async for _ in stream:
                    pass
            said = "".join(part.content for part in stream.get().parts if isinstance(part, TextPart)).strip()
            used = usage.counted(chat.model(), stream.usage) or usage.estimate(asked, written=len(said))
    finally:
        use(used)
    if not said:
        raise ending.silent()
    return said
