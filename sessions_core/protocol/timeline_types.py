"""The values that a Timeline is made of. Ids are text here, as in the JSON that a screen gets."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field

from sessions_core.protocol.events import (
    Actor,
    AskEnd,
    AskKind,
    Ended,
    Event,
    MessageOutcome,
    PartType,
    PostState,
    Responders,
    RunWaiting,
    Usage,
)
from sessions_core.protocol.run_states import RunState

MessageState = Literal[PostState, "open", MessageOutcome]
CallState = Literal["called", "returned", "failed"]
AskState = Literal["open", "answered", "closed"]


class MessagePart(Struct):
    """One part of a Message, as far as it is written."""

    type: PartType
    text: str


class Message(Struct, omit_defaults=True):
    """A Message. `seq` is that of the Event that put it into the conversation: a queued Message stands where it was sent, a
    steering one where its Run has read it. `agent` and `run` are None when a person posted it. `ended`: why a complete Message is
    not the whole answer. `steered`: the Run that has read it.
    """

    id: str
    role: Literal["user", "assistant"]
    parent: str | None
    agent: str | None
    actor: Actor
    at: str
    run: str | None
    seq: int
    parts: list[MessagePart]
    state: MessageState
    usage: Usage | None = None
    ended: Ended | None = None
    steered: str | None = None

    @property
    def text(self) -> str:
        """The text, without the reasoning."""
        return "".join(part.text for part in self.parts if part.type == "text")


class Progress(Struct, omit_defaults=True):
    """The progress that a Run or a tool reports; `done` and `total` are in a unit of its own."""

    label: str
    done: float | None = None
    total: float | None = None


class Person(Struct):
    """A user who did something."""

    id: str
    name: str


class RunError(Struct):
    """The reason why a Run failed. `message` is a sentence for people; `retry`: the same request may succeed later."""

    code: str
    message: str
    retry: bool


class Run(Struct, omit_defaults=True):
    """One execution of an agent. `replies_to`: the Message that it answers; `parent`: the Run that started it; `retry_of`: the
    first Run of the answer that it tries again; `waiting`: what it waits for. `seq` is that of `run.started`, and before it that
    of the request; absent while it waits in the queue.
    """

    id: str
    agent: str
    parent: str | None
    replies_to: str | None
    state: RunState
    attempt: int
    seq: int | None = None
    retry_of: str | None = None
    progress: Progress | None = None
    waiting: RunWaiting | None = None
    cancel_requested_by: Person | None = None
    error: RunError | None = None
    reason: str | None = None
    usage: Usage | None = None


class ToolCall(Struct, omit_defaults=True):
    """A call of a tool. `id` is the call's in its Run. `unknown`: nobody knows whether the tool has done its work."""

    id: str
    run: str
    name: str
    input: object
    seq: int
    state: CallState
    message: str | None = None
    step: str | None = None
    progress: Progress | None = None
    output: object | UnsetType = UNSET
    error: str | None = None
    unknown: bool = False


class Ask(Struct, omit_defaults=True):
    """A question of a Run to people. `by`: who may answer; None: owner and editors. `tool`: what a consent may be given
    for with the answer. `reason`: why it was closed without an answer; `message`: what a person wrote instead.
    """

    id: str
    run: str
    seq: int
    at: str
    kind: AskKind
    title: str
    schema: object
    state: AskState
    expires_at: str | None = None
    by: Responders | None = None
    call: str | None = None
    tool: str | None = None
    default: object | UnsetType = UNSET
    value: object | UnsetType = UNSET
    answered_by: Person | None = None
    device: str | None = None
    device_label: str | None = None
    reason: AskEnd | None = None
    closed_by: Person | None = None
    message: str | None = None

    @property
    def is_open(self) -> bool:
        return self.state == "open"


class Queue(Struct, omit_defaults=True):
    """Whether the queue waits for a person, and because of which Run."""

    paused: bool
    reason: Literal["failed", "stopped"] | None = None
    run: str | None = None


class Consent(Struct):
    """The agent may use the tool unasked, says the user."""

    tool: str
    agent: str
    by: Person


class Timeline(Struct):
    """Messages, Runs and the rest by id, in the order of the log; `calls` by `run/call`, `consents` by `agent/tool`. `queue` is
    None while nothing was said about it. `cursor` is the seq of the last Event folded.
    """

    messages: dict[str, Message] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    calls: dict[str, ToolCall] = field(default_factory=dict)
    asks: dict[str, Ask] = field(default_factory=dict)
    consents: dict[str, Consent] = field(default_factory=dict)
    queue: Queue | None = None
    title: str | None = None
    cursor: int = 0
    epoch: int = 0


def run_of(event: Event) -> str:
    """Returns the id of the Event's Run; empty where it has none."""
    return str(event.run) if event.run else ""
