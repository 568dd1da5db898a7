"""A model that answers in this process: no HTTP."""

from collections.abc import AsyncIterator

import pytest
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel

from agents.provider import chat
from agents.sdk import AgentFailed


def model_that_calls(monkeypatch: pytest.MonkeyPatch, *calls: str, fails: bool = False) -> list[int]:
    """Makes a model that calls these tools at once and then says “done”. Returns a list with an item for each request."""
    requests: list[int] = []

    async def stream(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str | DeltaToolCalls]:
        requests.append(len(messages))
        if fails:
            yield "I thi"
            raise AgentFailed("model_cut", "The model's answer ended before it was whole.")
        if len(messages) == 1 and calls:
            yield {n: DeltaToolCall(name=name, json_args="{}") for n, name in enumerate(calls)}
        else:
            yield "done"

    monkeypatch.setattr(chat, "model", lambda: FunctionModel(stream_function=stream))
    return requests
