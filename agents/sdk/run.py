from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from msgspec import UNSET

from agents.sdk.delta_buffer import DeltaBuffer
from agents.sdk.message import Message
from agents.sdk.prompt import PromptMessage
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import RunProgressed, Usage
from sessions_core.protocol.ids import MessageId, RunId, SessionId


class AgentRun:
    """What an agent is given: the question, and the ways to answer. When somebody presses Stop, the next `await` raises
    asyncio.CancelledError; what was said stays, and who stopped it is told by the engine.
    """

    def __init__(self, claim: Claim, history: Sequence[PromptMessage], writer: DeltaBuffer) -> None:
        self.id: RunId = claim.run
        self.session: SessionId = claim.session
        self.agent: str = claim.agent
        self.attempt: int = claim.attempt  # 2 and more: an earlier worker died on it, what it said is gone
        self.replies_to: MessageId | None = claim.replies_to
        self.messages: list[Message] = []
        self._history = tuple(history)
        self._writer = writer

    @property
    def input(self) -> str:
        """The text of the message to answer."""
        last = self._history[-1] if self._history else None
        return last.text if last and last.message == self.replies_to else ""

    def prompt(self) -> list[PromptMessage]:
        """The conversation for a model, oldest first; the message to answer is the last one. What failed is left out, and
        the beginning does not change from Run to Run.
        """
        return list(self._history)

    @asynccontextmanager
    async def message(self) -> AsyncIterator[Message]:
        """An open Message, completed when the block ends. When the block raises, the Run's end decides what becomes of it:
        what was said stays, marked as stopped or failed.
        """
        message = Message(self._writer, parent=self.replies_to, agent=self.agent)
        self.messages.append(message)
        yield message
        await message.complete()

    async def progress(self, label: str, done: float | None = None, total: float | None = None) -> None:
        """Tells people what is being done, as `done` of `total` where that is known."""
        fact = RunProgressed(label=label, done=UNSET if done is None else done, total=UNSET if total is None else total)
        self._writer.put(fact)
        await self._writer.room()

    @property
    def usage(self) -> Usage | None:
        """What all its Messages used, together."""
        used = [message.usage for message in self.messages if message.usage is not None]
        if not used:
            return None
        return Usage(
            input_tokens=sum(usage.input_tokens for usage in used),
            output_tokens=sum(usage.output_tokens for usage in used),
            estimated=any(usage.estimated for usage in used),
        )
