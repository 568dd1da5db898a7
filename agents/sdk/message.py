import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol, Self

from msgspec import UNSET, structs

from agents.sdk.delta_buffer import DeltaBuffer
from agents.sdk.failed import AgentFailed, AlreadyEnded
from agents.sdk.journal import Journal, KeptMessage
from agents.sdk.meter import Meter
from agents.sdk.model import GivenPrompt
from agents.sdk.tool import Tool
from agents.sdk.usage import add
from sessions_core.protocol.events import Ended, MessageCompleted, MessageDelta, MessageStarted, Part, PartType, Usage
from sessions_core.protocol.ids import MessageId, new_message
from sessions_core.protocol.text import repair

MAX_LENGTH: Final = 1_000_000  # code points of one Message: a model that never stops must not fill the disk

COMPLETED_TWICE: Final = (
    "This message is complete already. The end of its `async with run.message()` block completes it:"
    " remove the call of `complete()`."
)
WRITTEN_LATE: Final = (
    "This message has ended, so nothing can be added to it. Write inside its `async with run.message()` block,"
    " or begin another one."
)


Void = Callable[[MessageId], Awaitable[None]]


async def _cannot_void(_: MessageId) -> None:
    raise AssertionError("no Message was kept")


class AskModel(Protocol):
    """The model loop, for the Run that writes the Message."""

    async def __call__(
        self,
        message: "Message",
        prompt: GivenPrompt,
        *,
        tools: Sequence[Tool] | None,
        note: str | None,
        instructions: str | None,
    ) -> str: ...


class Message:
    """A Message that is being written. Readers see what is appended about 40 ms later (DELTA_MS), once it is in the log.

    What is `kept` in the log is not written again: a complete Message takes what is appended without a trace, an open one goes on
    where its text ends. When the agent says something else this time, `void` takes the kept Message away, and another one begins.
    """

    def __init__(
        self,
        buffer: DeltaBuffer,
        *,
        parent: MessageId | None,
        agent: str,
        meter: Meter | None = None,
        journal: Journal | None = None,
        kept: KeptMessage | None = None,
        void: Void = _cannot_void,
        number: int = 1,
        ask_model: AskModel | None = None,
    ) -> None:
        self.id = kept.message if kept else new_message()
        self.usage: Usage | None = None
        # What the model loop has sent and got for this Message, in the form of its library.
        self.exchange: list[Any] = []
        self._ask_model = ask_model
        self._number = number  # the place among the Messages of the Run, from 1
        self._requests = 0
        self._ended: Ended | None = None
        self._is_open = True
        self._buffer = buffer
        self._meter = meter or Meter()
        self._parts: list[tuple[PartType, list[str]]] = []
        self._offset = 0  # code points of the last part
        self._length = 0
        self._started = MessageStarted(message=self.id, parent=parent, role="assistant", agent=agent)
        self._journal = journal
        self._void = void
        self._kept = kept
        self._begin()

    async def append(self, text: str) -> None:
        """Adds Markdown to the answer. NUL and lone surrogates, which the log cannot hold, become U+FFFD.

        Waits while the database is behind. Raises AgentFailed when the Message exceeds a million code points, and AlreadyEnded
        after the end of its block.
        """
        await self._append("text", text)

    async def reason(self, text: str) -> None:
        """Adds to the reasoning, as `append` adds to the answer. Pages show it folded away; no model is shown it again."""
        await self._append("reasoning", text)

    def used(self, *, input_tokens: int, output_tokens: int, estimated: bool = False) -> None:
        """Notes how many tokens the model read and wrote for this Message; the last call counts. `estimated`: the provider did
        not say, so these are a guess. It is for agents that ask a model of their own: what the SDK asks is counted by itself.
        """
        self._check_open()
        before = self.usage
        if not self.is_whole:
            self._meter.count(
                requests=0 if before else 1,
                input_tokens=input_tokens - (before.input_tokens if before else 0),
                output_tokens=output_tokens - (before.output_tokens if before else 0),
                estimated=estimated,
            )
        self.usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens, estimated=estimated)

    async def model(
        self,
        prompt: GivenPrompt,
        *,
        tools: Sequence[Tool] | None = None,
        note: str | None = None,
        instructions: str | None = None,
    ) -> str:
        """Streams the answer of the model of CHAT_MODEL to the prompt into the Message, and its reasoning, and notes the usage.
        Performs the tool calls that it makes and asks again with their results, until it makes none. Returns its last text.
        `tools`: None for those of `@agent`, an empty list for no tools.

        With `note` it is also shown what it has said in this Message, and then the note, as a person's. `instructions` go in the
        place of the usual ones. Raises AgentFailed with a sentence for people when the model fails.
        """
        try:
            self._check_open()
            if self._ask_model is None:
                raise AgentFailed("no_model", "This agent was started without a model.")
            return await self._ask_model(self, prompt, tools=tools, note=note, instructions=instructions)
        finally:
            if inspect.iscoroutine(prompt):
                prompt.close()  # one that nobody came to await: Python would warn of it

    def next_request(self) -> str:
        """Returns the number of the next request to a model within the Run, such as `1.2`: the same in each attempt."""
        self._requests += 1
        return f"{self._number}.{self._requests}"

    async def count_request(self) -> None:
        """Counts a request before it is made. Raises asyncio.CancelledError when it would be one too many."""
        self._meter.count(requests=1)
        await asyncio.sleep(0)

    def note_progress(self) -> None:
        """Notes that the model goes on, also where it says nothing to people: the arguments of a tool call, or an empty piece."""
        self._meter.progress()

    def add_usage(self, usage: Usage, *, is_replayed: bool = False) -> None:
        """Adds what one request has used. What `is_replayed` was counted for the Run by an earlier attempt."""
        self.usage = usage if self.usage is None else add(self.usage, usage)
        if not is_replayed:
            self._meter.use(usage)

    @property
    def ended(self) -> Ended | None:
        """Why the answer is not whole, where the agent knows it and says so: people see a note, and may ask for the rest."""
        return self._ended

    @ended.setter
    def ended(self, ended: Ended | None) -> None:
        self._check_open()
        self._ended = ended

    @property
    def text(self) -> str:
        """The answer so far, without the reasoning."""
        return "".join(piece for kind, pieces in self._parts if kind == "text" for piece in pieces)

    @property
    def length(self) -> int:
        """Code points so far, with the reasoning."""
        return self._length

    async def complete(self) -> None:
        """Completes the Message and returns when that is in the log. The end of its block does it: raises AlreadyEnded there if
        the agent has done it before.
        """
        if not self._is_open:
            raise AlreadyEnded(COMPLETED_TWICE)
        self._is_open = False
        self._pass()
        if self.is_whole:
            return
        self._buffer.put(self._completed)
        await self._buffer.flush()

    @property
    def is_begun(self) -> bool:
        """True while it is open and says something."""
        return self._is_open and bool(self._length)

    @property
    def _completed(self) -> MessageCompleted:
        parts = tuple(Part(type=kind, text="".join(pieces)) for kind, pieces in self._parts)
        usage, ended = self.usage or UNSET, self._ended or UNSET
        return MessageCompleted(message=self.id, parts=parts, state="complete", usage=usage, ended=ended)

    def break_off(self) -> Sequence[MessageCompleted]:
        """Returns the fact that completes it, when that is not in the log: what people write to the Run stands after it."""
        return [] if self.is_whole else [self._completed]

    async def go_on(self) -> None:
        """Goes on as another Message, below what people have written."""
        self._pass()
        self._kept = None if self._journal is None else await self._journal.next_message()
        self.id = self._kept.message if self._kept else new_message()
        self.usage, self._ended, self._parts, self._offset, self._length = None, None, [], 0, 0
        self._started = structs.replace(self._started, message=self.id)
        self._begin()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Completes the Message, or leaves it to the end of the Run when the block has raised."""
        if error is None:
            await self.complete()
        self._is_open = False

    def _begin(self) -> None:
        self._kept_length = sum(len(part.text) for part in self._kept.parts) if self._kept else 0
        if self._kept is None:
            self._buffer.put(self._started, at_once=True)
        self._pass_when_said()

    def _pass_when_said(self) -> None:
        if not self.is_whole and self._length >= self._kept_length:
            self._pass()

    def _pass(self) -> None:
        if self._kept is not None and self._journal is not None:
            self._journal.pass_message(self._kept.message)

    def _check_open(self) -> None:
        if not self._is_open:
            raise AlreadyEnded(WRITTEN_LATE)

    async def _append(self, kind: PartType, text: str) -> None:
        self._check_open()
        if text:
            await self._put(kind, repair(text))
        await self._buffer.wait_for_room()

    @property
    def is_whole(self) -> bool:
        """True when an earlier attempt has completed it."""
        return self._kept is not None and self._kept.is_complete

    async def _put(self, kind: PartType, text: str) -> None:
        if self._length + len(text) > MAX_LENGTH:
            raise AgentFailed("too_long", f"The answer grew beyond {MAX_LENGTH:,} characters and was ended.")
        new_part = not self._parts or self._parts[-1][0] != kind
        if new_part:
            self._parts.append((kind, []))
            self._offset = 0
        self._parts[-1][1].append(text)
        offset = self._offset
        self._offset += len(text)
        self._length += len(text)
        if self.is_whole:
            return
        known = self._known(kind, offset, text)
        self._pass_when_said()
        if known is None:
            await self._begin_anew()
        elif rest := text[known:]:
            self._write(len(self._parts) - 1, kind, offset + known, rest, at_once=new_part)

    def _known(self, kind: PartType, offset: int, text: str) -> int | None:
        """Returns how many code points of the text are in the log already, and None when the log has something else there."""
        part = len(self._parts) - 1
        if self._kept is None or part >= len(self._kept.parts):
            return 0
        kept = self._kept.parts[part]
        known = kept.text[offset : offset + len(text)]
        return len(known) if kept.type == kind and text.startswith(known) else None

    async def _begin_anew(self) -> None:
        await self._buffer.flush()
        await self._void(self.id)
        self._pass()
        self._kept = None
        self.id = new_message()
        self._started = structs.replace(self._started, message=self.id)
        self._buffer.put(self._started, at_once=True)
        for part, (kind, pieces) in enumerate(self._parts):
            self._write(part, kind, 0, "".join(pieces))

    def _write(self, part: int, kind: PartType, offset: int, text: str, *, at_once: bool = False) -> None:
        delta = MessageDelta(message=self.id, part=part, part_type=kind, offset=offset, text=text)
        self._buffer.put(delta, size=len(text), at_once=at_once)
