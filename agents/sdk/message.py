import re
from typing import Final

from agents.sdk.delta_buffer import DeltaBuffer
from agents.sdk.failed import AgentFailed
from sessions_core.protocol.events import MessageCompleted, MessageDelta, MessageStarted, Part, PartType, Usage
from sessions_core.protocol.ids import MessageId, new_message

LIMIT: Final = 1_000_000  # code points of one Message: a model that runs wild ends here, not in a full disk

_UNFIT: Final = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL's JSON holds neither NUL nor half of a surrogate pair


class Message:
    """A Message that is being written. Readers see what is appended within some 40 ms, once it is in the log."""

    def __init__(self, writer: DeltaBuffer, *, parent: MessageId | None, agent: str) -> None:
        self.id = new_message()
        self.usage: Usage | None = None
        self._writer = writer
        self._parts: list[tuple[PartType, list[str]]] = []
        self._offset = 0
        self._length = 0
        writer.put(MessageStarted(message=self.id, parent=parent, role="assistant", agent=agent), at_once=True)

    async def append(self, text: str) -> None:
        """Adds to the answer. What no log can hold (NUL, half a surrogate pair) becomes U+FFFD. Raises AgentFailed when the
        Message grows beyond a million characters.
        """
        await self._add("text", text)

    async def reason(self, text: str) -> None:
        """Adds to what the agent thinks aloud; pages show it folded away, and no model is shown it again."""
        await self._add("reasoning", text)

    def used(self, *, input_tokens: int, output_tokens: int, estimated: bool = False) -> None:
        """Notes what the model was given and gave, in its tokens."""
        self.usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens, estimated=estimated)

    @property
    def text(self) -> str:
        """What was appended so far, without the reasoning."""
        return "".join(piece for kind, pieces in self._parts if kind == "text" for piece in pieces)

    @property
    def length(self) -> int:
        """Code points so far, reasoning and all."""
        return self._length

    async def complete(self) -> None:
        """Ends the Message, and returns when it is in the log. Its parts are exactly what the deltas said."""
        parts = tuple(Part(type=kind, text="".join(pieces)) for kind, pieces in self._parts)
        fact = MessageCompleted(message=self.id, parts=parts, state="complete")
        if self.usage is not None:
            fact = MessageCompleted(message=self.id, parts=parts, state="complete", usage=self.usage)
        self._writer.put(fact)
        await self._writer.flush()

    async def _add(self, kind: PartType, text: str) -> None:
        if text:
            self._put(kind, _UNFIT.sub("�", text))
        await self._writer.room()

    def _put(self, kind: PartType, text: str) -> None:
        if self._length + len(text) > LIMIT:
            raise AgentFailed("too_long", f"The answer grew beyond {LIMIT:,} characters and was ended.")
        new = not self._parts or self._parts[-1][0] != kind
        if new:
            self._parts.append((kind, []))
            self._offset = 0
        part = len(self._parts) - 1
        delta = MessageDelta(message=self.id, part=part, part_type=kind, offset=self._offset, text=text)
        self._writer.put(delta, size=len(text), at_once=new)
        self._parts[-1][1].append(text)
        self._offset += len(text)
        self._length += len(text)
