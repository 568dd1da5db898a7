"""What a Run asks of the world outside its worker: people, signals and the clock of the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from sessions_core.protocol.events import AskEnd, AskKind, Fact, Responders
from sessions_core.protocol.ids import AskId, MessageId


class NewAsk(Struct, frozen=True):
    """A question to people. `call` and `tool`: the tool call that an approval is about."""

    title: str
    kind: AskKind
    schema: Mapping[str, Any]
    expires_at: datetime | None = None
    responders: Responders | None = None
    default: object = None
    call: str = ""
    tool: str = ""


class AskOutcome(Struct, frozen=True):
    """What has become of a question: still open, answered with `value`, or at its `end` without an answer; then `message` is what
    a person wrote instead.
    """

    ask: AskId
    is_open: bool
    value: object = None
    end: AskEnd | None = None
    message: str | None = None


class ReceivedSignal(Struct, frozen=True):
    value: object


class Steer(Struct, frozen=True):
    """What a person has written to a Run while it worked."""

    text: str
    author: str


class Declined(Exception):  # noqa: N818  # what a person did
    """Nobody has answered. `reason`: declined or expired; `message` is what a person wrote instead of an answer."""

    def __init__(self, reason: AskEnd, message: str | None = None) -> None:
        self.reason = reason
        self.message = message
        super().__init__(message or reason)


class Outside(Protocol):
    """The runner's side."""

    async def now(self) -> datetime: ...

    async def ask(self, key: str, ask: NewAsk) -> AskOutcome:
        """Opens the question unless the Run has done it before, and returns what has become of it."""

    async def is_granted(self, tool: str, schema: Mapping[str, Any]) -> bool:
        """Returns whether people have allowed that the agent uses the tool unasked, with this form of an approval."""

    async def signal(self, name: str, key: str) -> ReceivedSignal | None:
        """Takes the earliest signal of that name that no other call has taken; the same one when asked again with the key."""

    async def void(self, message: MessageId) -> None:
        """Takes an open Message away from the readers, because the agent says something else this time."""

    async def steers(self, key: str, before: Sequence[Fact]) -> list[Steer]:
        """Takes what people have written to the Run since the last time; the same when asked again with the key. The facts
        `before` are appended first, if there is something.
        """
