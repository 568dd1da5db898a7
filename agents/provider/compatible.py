"""A chat model at any address that speaks as OpenAI does. Mends what such servers do differently, before pydantic-ai reads it."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from httpx2 import AsyncByteStream, Response
from openai import AsyncStream
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import ChoiceDelta
from pydantic_ai.exceptions import ModelAPIError
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIChatModelSettings, OpenAIStreamedResponse
from typing_extensions import override

_DONE: Final = re.compile(rb"(^|[\r\n])data: ?\[DONE\]")
_TAIL_BYTES: Final = 64  # of the piece before: the sentinel may be cut anywhere


class CompatibleModel(OpenAIChatModel):
    """OpenAI's chat API as others serve it. Sends what OpenAIChatModel sends."""

    @property
    @override
    def _streamed_response_cls(self) -> type[OpenAIStreamedResponse]:
        return _Answer

    @override
    async def _process_streamed_response(
        self,
        response: AsyncStream[ChatCompletionChunk],
        model_request_parameters: ModelRequestParameters,
        model_settings: OpenAIChatModelSettings | None = None,
    ) -> OpenAIStreamedResponse:
        _Body.watch(response.response)
        return await super()._process_streamed_response(response, model_request_parameters, model_settings)


@dataclass
class _Answer(OpenAIStreamedResponse):
    @override
    async def _validate_response(self) -> AsyncIterator[ChatCompletionChunk]:
        """Yields the chunks as OpenAI would send them: one choice, text as text, the usage once and last.

        Raises ModelAPIError when neither a finish reason nor the sentinel `[DONE]` says that the answer is whole.
        """
        usage: CompletionUsage | None = None
        finished, half = False, ""
        async for chunk in self._response:
            usage = chunk.usage or usage  # some repeat running totals; pydantic-ai would add them up
            chunk.usage = None
            # Nobody asked for a second choice. It is another answer, and pydantic-ai takes the first one of each chunk.
            chunk.choices = [choice for choice in chunk.choices or [] if not getattr(choice, "index", 0)]
            for choice in chunk.choices:
                finished = finished or bool(choice.finish_reason)
                if choice.delta is not None:  # Azure's, with the results of its filter
                    _separate_thinking(choice.delta)
                    half = _keep_half(choice.delta, half)
            yield chunk
        if not finished and not _Body.of(self._response.source.response).is_done:
            raise ModelAPIError(self.model_name, "The stream ended without a finish reason and without [DONE].")
        if usage is not None:
            chunk.choices, chunk.usage = [], usage
            yield chunk


def _separate_thinking(delta: ChoiceDelta) -> None:
    """Moves the thinking parts of a content that is a list to `reasoning_content`: pydantic-ai drops them."""
    parts: object = delta.content
    if isinstance(parts, list) and delta.model_extra is not None:
        thinking = [part.get("thinking") for part in parts if isinstance(part, dict) and part.get("type") == "thinking"]
        delta.model_extra["reasoning_content"] = "".join(map(_text, thinking))


def _keep_half(delta: ChoiceDelta, half: str) -> str:
    """Puts the half of a character, which the chunk before ended with, before the content. Returns the half that it ends with."""
    if not isinstance(delta.content, str):
        return half
    content = half + delta.content
    kept = content[-1:] if "\ud800" <= content[-1:] <= "\udbff" else ""
    if half or kept:  # the two halves of a surrogate pair become one character
        delta.content = content.removesuffix(kept).encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return kept


def _text(thinking: object) -> str:
    """Returns the text of a thinking part: Mistral sends a list of text parts, others a string."""
    if isinstance(thinking, list):
        return "".join(_text(part.get("text") if isinstance(part, dict) else part) for part in thinking)
    return thinking if isinstance(thinking, str) else ""


class _Body(AsyncByteStream):
    """The body of a response. `is_done`: the sentinel `[DONE]` has been in it, which openai's client swallows."""

    def __init__(self, stream: AsyncByteStream) -> None:
        self._stream = stream
        self._pieces = aiter(stream)
        self._tail = b"\n"
        self.is_done = False

    @classmethod
    def watch(cls, response: Response) -> None:
        """Puts the watched body into the response. Nothing of it has been read yet."""
        assert isinstance(response.stream, AsyncByteStream)
        response.stream = cls(response.stream)

    @classmethod
    def of(cls, response: Response) -> "_Body":
        """Returns the body that `watch` has put in."""
        assert isinstance(response.stream, cls)
        return response.stream

    # No generator: a reader that breaks off would leave it to the garbage collector, which may run in another thread.
    @override
    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece = await anext(self._pieces)
        self._tail = self._tail[-_TAIL_BYTES:] + piece
        self.is_done = self.is_done or bool(_DONE.search(self._tail))
        return piece

    @override
    async def aclose(self) -> None:
        await self._stream.aclose()
