from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from msgspec import UNSET

from agents.sdk.delta_buffer import DeltaBuffer
from agents.sdk.message import Message
from agents.sdk.meter import Meter
from agents.sdk.prompt import Prompt
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import RunProgressed, Usage
from sessions_core.protocol.ids import MessageId, RunId, SessionId
from sessions_core.protocol.text import repair

ReadPrompt = Callable[[int | None], Awaitable[Prompt]]


class AgentRun:
    """One attempt to answer one message: the question, the conversation, and the ways to answer.

    The next `await` raises asyncio.CancelledError when a person presses Stop, when the Run takes too long, or when another worker
    has taken it over. Let it pass: the runner writes the outcome, and keeps what was appended.
    """

    def __init__(
        self, claim: Claim, question: str, read_prompt: ReadPrompt, buffer: DeltaBuffer, meter: Meter | None = None
    ) -> None:
        self.id: RunId = claim.run
        self.session: SessionId = claim.session
        self.agent: str = claim.agent  # the name it is registered by
        # From 1. Above 1 an earlier worker did not end the Run, and people are no longer shown what that one wrote.
        self.attempt: int = claim.attempt
        self.replies_to: MessageId | None = claim.replies_to  # the message to answer
        self.messages: list[Message] = []  # those that this attempt has begun, oldest first
        self.input: str = question  # the text of the message to answer; empty where there is none
        self._read_prompt = read_prompt
        self._buffer = buffer
        self._meter = meter or Meter(spent=claim.spent)

    async def prompt(self, *, messages: int | None = None) -> Prompt:
        """Reads the conversation for a model, oldest first; the message to answer is the last one.

        Reads so many newest `messages` at most, and never more than PROMPT_MESSAGES or PROMPT_BYTES; `cut` of the result says
        whether there are earlier ones. Leaves out answers that failed or were interrupted. The beginning stays the same from Run
        to Run, so that the prefix caches of providers hit; where it is cut, for many Runs.
        """
        return await self._read_prompt(messages)

    @asynccontextmanager
    async def message(self) -> AsyncIterator[Message]:
        """Begins a Message, and completes it when the block ends. A Run may write several, one after the other.

        When the block raises, the Message is left open: the end of the Run completes it with what was appended, marked as
        stopped or failed.
        """
        async with Message(self._buffer, parent=self.replies_to, agent=self.agent, meter=self._meter) as message:
            self.messages.append(message)
            yield message

    async def progress(self, label: str, done: float | None = None, total: float | None = None) -> None:
        """Shows people what the agent is doing: `label`, and `done` of `total`, in any unit, where they are known. Only the
        newest of several in a short time (DELTA_MS) is written.
        """
        progressed = RunProgressed(
            label=repair(label), done=UNSET if done is None else done, total=UNSET if total is None else total
        )
        self._buffer.put(progressed)
        await self._buffer.wait_for_room()

    @property
    def usage(self) -> Usage | None:
        """What the Run has used of models so far, over all its attempts; None where nothing was counted."""
        return self._meter.spent.usage
