"""One request to the model: its answer goes into the Message while it comes."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from msgspec import Struct
from pydantic import TypeAdapter
from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import (
    FinalResultEvent,
    ModelMessage,
    ModelResponse,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartEndEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
    ToolCallPartDelta,
)
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.settings import ModelSettings

from agents.provider import ending, usage
from agents.provider.schema import definition
from agents.sdk import Message
from agents.sdk.failure import Failure
from agents.sdk.tool import Tool
from sessions_core.protocol.events import Ended, PartType, Usage

_RESPONSE = TypeAdapter(ModelResponse)


class Answer(Struct):
    """An answer of the model, as the Step of its request keeps it. `response` is pydantic-ai's, as JSON; `said` is what it added
    to the Message, in order. `notes`: what people wrote meanwhile, which the request has shown for the first time. One with a
    `failure` is not whole and has no response.
    """

    response: dict[str, Any]
    said: list[tuple[PartType, str]]
    usage: Usage
    ended: Ended | None = None
    notes: list[str] = []
    failure: Failure | None = None

    def model_response(self) -> ModelResponse:
        return _RESPONSE.validate_python(self.response)


class Request:
    """One request, made with `send`. What it has used is known at any time, also when it was cut off."""

    def __init__(self, model: Model, messages: Sequence[ModelMessage], tools: Sequence[Tool], message: Message) -> None:
        self._model = model
        self._messages = messages
        self._tools = tools
        self._message = message
        self._said: list[tuple[PartType, list[str]]] = []
        self._written = 0  # code points that the model wrote, those of tool calls too

    async def send(self) -> Answer:
        """Streams the answer into the Message. Raises AgentFailed, and what pydantic-ai raises."""
        timeout_s = float(settings.MODEL_SECONDS)
        parameters = ModelRequestParameters(function_tools=[definition(tool) for tool in self._tools])
        async with model_request_stream(
            self._model,
            self._messages,
            model_settings=ModelSettings(timeout=timeout_s, first_event_timeout=timeout_s),
            model_request_parameters=parameters,
        ) as stream:
            async for event in stream:
                self._message.note_progress()
                await self._take(event)
            return await self._whole(stream)

    def estimated(self) -> Usage:
        """Returns a guess of what was used, for an answer that was cut off."""
        return usage.estimate(self._messages, written=self._written)

    def cut_off(self, failure: Failure) -> Answer:
        """Returns what has come of the answer before it failed."""
        return Answer(response={}, said=self._said_so_far(), usage=self.estimated(), failure=failure)

    async def _whole(self, stream: StreamedResponse) -> Answer:
        if refusal := ending.refusal(stream):
            await self._say("text", f"\n\n{refusal}" if self._message.text else refusal)
        response = stream.get()
        counted = usage.counted(self._model, stream.usage) or self.estimated()
        dumped = _RESPONSE.dump_python(response, mode="json", exclude_none=True)
        return Answer(response=dumped, said=self._said_so_far(), usage=counted, ended=ending.of(stream))

    def _said_so_far(self) -> list[tuple[PartType, str]]:
        return [(kind, "".join(pieces)) for kind, pieces in self._said]

    async def _take(self, event: ModelResponseStreamEvent) -> None:
        match event:
            case PartStartEvent(part=TextPart(content=text)) | PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
                await self._say("text", text)
            case (
                PartStartEvent(part=ThinkingPart(content=text))
                | PartDeltaEvent(delta=ThinkingPartDelta(content_delta=text))
            ):
                await self._say("reasoning", text or "")
            case (
                PartStartEvent(part=ToolCallPart(args=args)) | PartDeltaEvent(delta=ToolCallPartDelta(args_delta=args))
            ):
                self._written += len(str(args or ""))
            case PartStartEvent() | PartDeltaEvent() | PartEndEvent() | FinalResultEvent():
                pass

    async def _say(self, kind: PartType, text: str) -> None:
        if not text:
            return
        self._written += len(text)
        if not self._said or self._said[-1][0] != kind:
            self._said.append((kind, []))
        self._said[-1][1].append(text)
        await say(self._message, kind, text)


async def say(message: Message, kind: PartType, text: str) -> None:
    """Adds the text to the Message."""
    await (message.append(text) if kind == "text" else message.reason(text))
