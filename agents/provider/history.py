"""The conversation in pydantic-ai's form, in a shape that every provider takes: roles alternate, and each call has its result."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import Final

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
    repair_messages,
)

from agents.sdk import PromptMessage

# Between the results of tools and what a person says then. Strict chat templates want an answer there, so pydantic-ai gives
# Mistral the same.
NOTED: Final = "OK."


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


def add_notes(messages: list[ModelMessage], notes: Iterable[str], *, instructions: str) -> None:
    """Adds what people say while the model works."""
    text = "\n\n".join(notes)
    if not text:
        return
    if messages and any(isinstance(part, ToolReturnPart) for part in messages[-1].parts):
        messages.append(ModelResponse(parts=[TextPart(NOTED)]))
    messages.append(ModelRequest(parts=[UserPromptPart(text)], instructions=instructions))


def add_results(messages: list[ModelMessage], results: Sequence[ToolReturnPart], *, instructions: str) -> None:
    """Adds the results of the calls of the last answer."""
    parts: list[ModelRequestPart] = list(results)
    messages.append(ModelRequest(parts=parts, instructions=instructions))


def valid(messages: Sequence[ModelMessage]) -> list[ModelMessage]:
    """Returns the messages without answers that say nothing or were cut off, and with a result for each call. Neighbours of one
    role are joined.
    """
    repaired = repair_messages([message for message in messages if not _is_nothing(message)])
    return [_joined(message) if isinstance(message, ModelRequest) else message for message in repaired]


def _joined(request: ModelRequest) -> ModelRequest:
    """Joins what people say in the request: pydantic-ai sends each part as a message of its own."""
    said = [part for part in request.parts if isinstance(part, UserPromptPart)]
    if len(said) < 2:  # noqa: PLR2004  # there is nothing to join
        return request
    text = UserPromptPart("\n\n".join(str(part.content) for part in said), timestamp=said[0].timestamp)
    return replace(request, parts=[*(part for part in request.parts if part not in said), text])


def _is_nothing(message: ModelMessage) -> bool:
    if not isinstance(message, ModelResponse):
        return False
    if message.state in {"interrupted", "incomplete"}:
        return True
    said = (
        isinstance(part, ToolCallPart) or (isinstance(part, TextPart) and part.content.strip())
        for part in message.parts
    )
    return not any(said)
