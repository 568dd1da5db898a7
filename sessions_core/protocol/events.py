"""The facts that a log can hold, and the Event that carries one (docs/reference/wire.md › Events).

A fact is a frozen value. `Fact` is the union of all of them, so that mypy refuses a `match` that forgets one. On the wire and in
the database a fact is its `kind` and its `data`.
"""

from typing import ClassVar, Literal, get_args

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from sessions_core.protocol.ids import AskId, ClientId, MessageId, RunId

PartType = Literal["text", "reasoning"]
MessageOutcome = Literal["complete", "cancelled", "failed", "interrupted"]
Ended = Literal["truncated", "filtered", "refused"]
PostState = Literal["sent", "queued", "steering"]
WaitsOn = Literal["ask", "sleep", "signal", "children"]
AskKind = Literal["form", "choice", "approval"]
AskEnd = Literal["expired", "declined", "run_ended"]
Role = Literal["owner", "editor", "viewer"]
ROLES: tuple[Role, ...] = get_args(Role)


class Actor(Struct, frozen=True):
    """The cause of an Event. `id` is the id of a user or the name of an agent, as text; `name` is shown to people."""

    kind: Literal["user", "agent", "system"]
    id: str
    name: str


SYSTEM = Actor(kind="system", id="system", name="System")


class Part(Struct, frozen=True):
    """One part of a Message."""

    type: PartType
    text: str


class Usage(Struct, frozen=True, omit_defaults=True):
    """How many tokens a model read and wrote, in how many `requests`. `estimated`: the provider did not say. `cached`: the part
    of the input that the provider had in its cache. `cost_usd` is absent where the price is not known.
    """

    input_tokens: int
    output_tokens: int
    estimated: bool = False
    requests: int | UnsetType = UNSET
    cached: int | UnsetType = UNSET
    cost_usd: float | UnsetType = UNSET


class Responders(Struct, frozen=True, omit_defaults=True):
    """Who may answer an Ask: participants with one of the roles, and the users with these ids."""

    roles: tuple[Role, ...] = ()
    users: tuple[str, ...] = ()


class _Fact(Struct, frozen=True, omit_defaults=True):
    """The base of all facts. Optional fields that are not set are left out of `data`."""

    kind: ClassVar[str]


class SessionCreated(_Fact, frozen=True):
    kind: ClassVar[str] = "session.created"
    title: str
    agent: str
    policy: str


class SessionRenamed(_Fact, frozen=True):
    kind: ClassVar[str] = "session.renamed"
    title: str


class SessionArchived(_Fact, frozen=True):
    kind: ClassVar[str] = "session.archived"


class SessionRestored(_Fact, frozen=True):
    kind: ClassVar[str] = "session.restored"


class SessionConfigured(_Fact, frozen=True):
    kind: ClassVar[str] = "session.configured"
    agent: str
    policy: str


class ParticipantJoined(_Fact, frozen=True):
    kind: ClassVar[str] = "participant.joined"
    user: str
    name: str
    role: Role


class ParticipantLeft(_Fact, frozen=True):
    kind: ClassVar[str] = "participant.left"
    user: str
    name: str
    role: Role


class ParticipantRoleChanged(_Fact, frozen=True):
    kind: ClassVar[str] = "participant.role_changed"
    user: str
    name: str
    role: Role


class MessagePosted(_Fact, frozen=True):
    kind: ClassVar[str] = "message.posted"
    message: MessageId
    parent: MessageId | None
    role: Literal["user"]
    parts: tuple[Part, ...]
    client_id: ClientId | None
    state: PostState
    device: str | None


class MessageQueuedEdited(_Fact, frozen=True):
    kind: ClassVar[str] = "message.queued_edited"
    message: MessageId
    parts: tuple[Part, ...]


class MessageDequeued(_Fact, frozen=True):
    """A queued Message has left the queue. When it was sent, it stands here in the conversation. A reader who begins here misses
    nothing: the whole Message is here, the Event's actor is its author, the Event's `run` its Run, and `agent` that Run's.
    """

    kind: ClassVar[str] = "message.dequeued"
    message: MessageId
    reason: Literal["sent", "withdrawn"]
    parent: MessageId | UnsetType | None = UNSET
    parts: tuple[Part, ...] | UnsetType = UNSET
    agent: str | UnsetType = UNSET


class MessageStarted(_Fact, frozen=True):
    kind: ClassVar[str] = "message.started"
    message: MessageId
    parent: MessageId | None
    role: Literal["assistant"]
    agent: str


class MessageDelta(_Fact, frozen=True):
    """`offset` is the part's length before this piece, in Unicode code points."""

    kind: ClassVar[str] = "message.delta"
    message: MessageId
    part: int
    part_type: PartType
    offset: int
    text: str


class MessageCompleted(_Fact, frozen=True):
    """The whole Message. Replaces the text that its deltas made.

    `ended`: why a complete Message is not the whole answer. The model reached its own limit, a filter of its provider took away
    the rest, or the model refused to answer.
    """

    kind: ClassVar[str] = "message.completed"
    message: MessageId
    parts: tuple[Part, ...]
    state: MessageOutcome
    usage: Usage | UnsetType = UNSET
    ended: Ended | UnsetType = UNSET


class ToolCalled(_Fact, frozen=True):
    """`call` is the id of the call; a later attempt that repeats it writes no second Event. `step`: the key of its Step."""

    kind: ClassVar[str] = "tool.called"
    call: str
    name: str
    input: object
    message: MessageId | UnsetType = UNSET
    step: str | UnsetType = UNSET


class ToolProgressed(_Fact, frozen=True):
    kind: ClassVar[str] = "tool.progressed"
    call: str
    label: str
    done: float | UnsetType = UNSET
    total: float | UnsetType = UNSET
    message: MessageId | UnsetType = UNSET
    step: str | UnsetType = UNSET


class ToolReturned(_Fact, frozen=True):
    kind: ClassVar[str] = "tool.returned"
    call: str
    output: object
    message: MessageId | UnsetType = UNSET
    step: str | UnsetType = UNSET


class ToolFailed(_Fact, frozen=True):
    """`unknown`: the Run ended during the call, so nobody knows whether the tool has done its work."""

    kind: ClassVar[str] = "tool.failed"
    call: str
    error: str
    unknown: bool = False
    message: MessageId | UnsetType = UNSET
    step: str | UnsetType = UNSET


class RunRequested(_Fact, frozen=True):
    """`retry_of`: the Run whose answer it tries again, the first of them. `queued`: it waits in the queue."""

    kind: ClassVar[str] = "run.requested"
    run: RunId
    agent: str
    parent: RunId | None
    replies_to: MessageId | None
    retry_of: RunId | UnsetType = UNSET
    queued: bool = False


class RunStarted(_Fact, frozen=True):
    kind: ClassVar[str] = "run.started"
    attempt: int


class RunRestarted(_Fact, frozen=True):
    """`voided`: the Messages of the attempt before that are not continued; they disappear from the Timeline, like the tool calls
    in `voided_calls`, which were made in them. A replay writes both anew. The same attempt may write it again, when a Message
    that was open does not go on as it had begun.
    """

    kind: ClassVar[str] = "run.restarted"
    attempt: int
    voided: tuple[MessageId, ...]
    voided_calls: tuple[str, ...] = ()


class RunProgressed(_Fact, frozen=True):
    kind: ClassVar[str] = "run.progressed"
    label: str
    done: float | UnsetType = UNSET
    total: float | UnsetType = UNSET


class RunSteered(_Fact, frozen=True):
    """What became of a steering Message: the Run has `consumed` it, or a Run of its own answers it, `queued` or at once.
    `parent`: what it follows in the conversation, when it is sent at once.
    """

    kind: ClassVar[str] = "run.steered"
    message: MessageId
    consumed: bool
    queued: bool = False
    parent: MessageId | UnsetType | None = UNSET


class _Waiting(_Fact, frozen=True, omit_defaults=True):
    """What a Run waits for. It may be several things at once: `on` names the first kind of ask, signal and sleep, the fields name
    all of them; `asks` and `signals` are there for more than one. `until` is the earliest time to go on at.
    """

    on: WaitsOn
    ask: AskId | UnsetType = UNSET
    asks: tuple[AskId, ...] | UnsetType = UNSET
    until: str | UnsetType = UNSET
    signal: str | UnsetType = UNSET
    signals: tuple[str, ...] | UnsetType = UNSET
    runs: tuple[RunId, ...] | UnsetType = UNSET


class RunWaiting(_Waiting, frozen=True, omit_defaults=True):
    """The Run waits, and no worker is held. `until` is a time of the wire."""

    kind: ClassVar[str] = "run.waiting"


class RunResumed(_Waiting, frozen=True, omit_defaults=True):
    """A worker goes on with the Run, in the same attempt."""

    kind: ClassVar[str] = "run.resumed"


class RunCancelRequested(_Fact, frozen=True):
    """`by` is the user's id; the Event's actor has the name. `runs`: all Runs that are cancelled."""

    kind: ClassVar[str] = "run.cancel_requested"
    by: str
    device: str | None
    runs: tuple[RunId, ...]


class RunCompleted(_Fact, frozen=True):
    kind: ClassVar[str] = "run.completed"
    usage: Usage | UnsetType = UNSET
    result: object | UnsetType = UNSET


class RunCancelled(_Fact, frozen=True):
    kind: ClassVar[str] = "run.cancelled"
    usage: Usage | UnsetType = UNSET


class RunFailed(_Fact, frozen=True):
    """`message` is a sentence for people. `retry`: the same request may succeed later."""

    kind: ClassVar[str] = "run.failed"
    code: str
    message: str
    retry: bool
    usage: Usage | UnsetType = UNSET


class RunInterrupted(_Fact, frozen=True):
    kind: ClassVar[str] = "run.interrupted"
    reason: str
    usage: Usage | UnsetType = UNSET


class QueuePaused(_Fact, frozen=True):
    """The queue waits until a person resumes it, because `run` failed or was stopped."""

    kind: ClassVar[str] = "queue.paused"
    reason: Literal["failed", "stopped"]
    run: RunId


class QueueResumed(_Fact, frozen=True):
    """`by`: the id of the user who resumed it; absent when the answer to a later post, or a retry, was completed."""

    kind: ClassVar[str] = "queue.resumed"
    by: str | UnsetType = UNSET


class AskOpened(_Fact, frozen=True):
    """A question to people. The answer fits the JSON Schema in `schema`. `by`: who may answer; absent: owner and editors. `call`:
    the tool call that an approval is about; `tool`: its tool, if a consent to use it from now on may be given with the answer.
    """

    kind: ClassVar[str] = "ask.opened"
    ask: AskId
    title: str
    schema: object
    ask_kind: AskKind = field(name="kind")
    expires_at: str | UnsetType = UNSET
    by: Responders | UnsetType = UNSET
    call: str | UnsetType = UNSET
    tool: str | UnsetType = UNSET
    default: object | UnsetType = UNSET


class AskAnswered(_Fact, frozen=True):
    """`by` is the user's id; the Event's actor has the name. `device_label` is for people: “Firefox on Linux”."""

    kind: ClassVar[str] = "ask.answered"
    ask: AskId
    value: object
    by: str
    device: str | None
    device_label: str | UnsetType = UNSET


class AskClosed(_Fact, frozen=True):
    """Nobody can answer any more. `message`: what a person wrote instead of an answer."""

    kind: ClassVar[str] = "ask.closed"
    ask: AskId
    reason: AskEnd
    message: MessageId | UnsetType = UNSET


class ConsentGranted(_Fact, frozen=True):
    """In this Session the agent may use the tool without asking. `by` is a user's id."""

    kind: ClassVar[str] = "consent.granted"
    tool: str
    agent: str
    by: str


class ConsentRevoked(_Fact, frozen=True):
    kind: ClassVar[str] = "consent.revoked"
    tool: str
    agent: str
    by: str


class SignalReceived(_Fact, frozen=True):
    """A fact from outside for a Run, under a name that its agent waits for. `by` is a user's id."""

    kind: ClassVar[str] = "signal.received"
    name: str
    value: object
    by: str


class StepCompleted(_Fact, frozen=True):
    """`result` stands here when it is small; otherwise `size` says how many bytes of JSON are kept elsewhere. A step that failed
    has neither: `error` is the name of the class of its last error.
    """

    kind: ClassVar[str] = "step.completed"
    key: str
    result: object | UnsetType = UNSET
    size: int | UnsetType = UNSET
    error: str | UnsetType = UNSET


class StateSaved(_Fact, frozen=True):
    """The state that the agent keeps in this Session has changed. `size`: bytes of JSON."""

    kind: ClassVar[str] = "state.saved"
    agent: str
    size: int


Fact = (
    SessionCreated
    | SessionRenamed
    | SessionArchived
    | SessionRestored
    | SessionConfigured
    | ParticipantJoined
    | ParticipantLeft
    | ParticipantRoleChanged
    | MessagePosted
    | MessageQueuedEdited
    | MessageDequeued
    | MessageStarted
    | MessageDelta
    | MessageCompleted
    | ToolCalled
    | ToolProgressed
    | ToolReturned
    | ToolFailed
    | RunRequested
    | RunStarted
    | RunRestarted
    | RunProgressed
    | RunSteered
    | RunWaiting
    | RunResumed
    | RunCancelRequested
    | RunCompleted
    | RunCancelled
    | RunFailed
    | RunInterrupted
    | QueuePaused
    | QueueResumed
    | AskOpened
    | AskAnswered
    | AskClosed
    | ConsentGranted
    | ConsentRevoked
    | SignalReceived
    | StepCompleted
    | StateSaved
)
RunOutcome = RunCompleted | RunCancelled | RunFailed | RunInterrupted

_DECODERS: dict[str, msgspec.json.Decoder[Fact]] = {fact.kind: msgspec.json.Decoder(fact) for fact in get_args(Fact)}
KINDS: frozenset[str] = frozenset(_DECODERS)
_ENCODER = msgspec.json.Encoder()


class Event(Struct, frozen=True):
    """One numbered fact of a log, in the wire's form. `data` is encoded; `decode_fact` returns the fact."""

    seq: int
    kind: str
    at: str
    actor: Actor
    run: RunId | None
    data: msgspec.Raw


def encode_fact(fact: Fact) -> bytes:
    """Returns the fact's `data` as JSON. Raises UnicodeEncodeError for a lone surrogate; `text` refuses or repairs those."""
    return _ENCODER.encode(fact)


def decode_fact(kind: str, data: bytes | str) -> Fact | None:
    """Returns the fact, or None when this version does not know its kind."""
    decoder = _DECODERS.get(kind)
    return decoder.decode(data) if decoder else None


def encode_events(events: list[Event]) -> bytes:
    """Returns the events as the inside of a JSON array, without its brackets, so that a frame is made by joining bytes."""
    return _ENCODER.encode(events)[1:-1]
