"""The facts that a log can hold, and the Event that carries one (docs/reference/wire.md › Events).

A fact is a frozen value. `Fact` is the union of all of them, so that mypy refuses a `match` that forgets one. On the wire and in
the database a fact is its `kind` and its `data`.
"""

from typing import ClassVar, Literal, get_args

import msgspec
from msgspec import UNSET, Struct, UnsetType

from sessions_core.protocol.ids import ClientId, MessageId, RunId

PartType = Literal["text", "reasoning"]
MessageOutcome = Literal["complete", "cancelled", "failed", "interrupted"]
Ended = Literal["truncated", "filtered", "refused"]
PostState = Literal["sent", "queued", "steering"]
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
    """How many tokens a model read and wrote. `estimated`: the provider did not say."""

    input_tokens: int
    output_tokens: int
    estimated: bool = False


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


class RunRequested(_Fact, frozen=True):
    kind: ClassVar[str] = "run.requested"
    run: RunId
    agent: str
    parent: RunId | None
    replies_to: MessageId | None


class RunStarted(_Fact, frozen=True):
    kind: ClassVar[str] = "run.started"
    attempt: int


class RunRestarted(_Fact, frozen=True):
    """`voided`: the Messages of the attempt before, which disappear from the Timeline."""

    kind: ClassVar[str] = "run.restarted"
    attempt: int
    voided: tuple[MessageId, ...]


class RunProgressed(_Fact, frozen=True):
    kind: ClassVar[str] = "run.progressed"
    label: str
    done: float | UnsetType = UNSET
    total: float | UnsetType = UNSET


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


class RunFailed(_Fact, frozen=True):
    """`message` is a sentence for people. `retry`: the same request may succeed later."""

    kind: ClassVar[str] = "run.failed"
    code: str
    message: str
    retry: bool


class RunInterrupted(_Fact, frozen=True):
    kind: ClassVar[str] = "run.interrupted"
    reason: str


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
    | MessageStarted
    | MessageDelta
    | MessageCompleted
    | RunRequested
    | RunStarted
    | RunRestarted
    | RunProgressed
    | RunCancelRequested
    | RunCompleted
    | RunCancelled
    | RunFailed
    | RunInterrupted
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
