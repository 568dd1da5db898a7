"""What the model loop and the Run that it works for know of each other. The loop is in `agents.provider`."""

from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Protocol

from agents.sdk.prompt import PromptMessage
from agents.sdk.tool import Tool

if TYPE_CHECKING:
    from agents.sdk.message import Message
    from agents.sdk.run import AgentRun

GivenPrompt = Sequence[PromptMessage] | Awaitable[Sequence[PromptMessage]]


class ModelLoop(Protocol):
    """Asks the model, performs the tool calls of its answer, and asks again with their results, until it calls no tool."""

    async def __call__(
        self,
        run: "AgentRun",
        message: "Message",
        prompt: GivenPrompt,
        *,
        tools: Sequence[Tool] | None,
        note: str | None,
        instructions: str | None,
    ) -> str: ...
