"""The JSON of requests and responses, for validation and OpenAPI. Fields are named as on the wire (docs/reference/wire.md)."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from ninja import Field, Schema
from pydantic import AfterValidator, BeforeValidator, PlainSerializer, model_validator

from sessions_core.protocol import clock
from sessions_core.protocol.cursors import parse_seq, parse_session_cursor
from sessions_core.protocol.events import AskKind, Part, PostState, Role, WaitsOn
from sessions_core.protocol.frames import Policy
from sessions_core.protocol.ids import SEQ_MAX, SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.protocol.text import is_fit


def _without_nul(text: str) -> str:
    if not is_fit(text):  # lone surrogates are refused by the parser
        raise ValueError("a NUL character cannot be kept")
    return text


def _checked_cursor(before: str) -> str:
    if before:
        parse_session_cursor(before)
    return before


Moment = Annotated[datetime, PlainSerializer(clock.wire, return_type=str)]
Text = Annotated[str, AfterValidator(_without_nul)]
Seq = Annotated[int, BeforeValidator(parse_seq), Field(ge=0, le=SEQ_MAX)]  # in an address


class ErrorDetail(Schema):
    """Why a request was refused: `code` for programs, `message` for people; `retry`: the same request may succeed later;
    `fields`: a sentence for each wrong field of an answer.
    """

    code: str
    message: str
    retry: bool
    fields: dict[str, str] | None = None


class ErrorResponse(Schema):
    error: ErrorDetail


class SessionOut(Schema):
    """A Session as the caller sees it. `role` and `read_seq` are the caller's own; `running`: a Run is active."""

    id: UUID
    title: str
    agent: str
    policy: Policy
    role: Role
    epoch: int
    head: int
    read_seq: int
    created_at: Moment
    active_at: Moment
    archived_at: Moment | None
    running: bool


class SessionList(Schema):
    """Newest activity first; `next` is the `before` of the following page, null on the last."""

    sessions: list[SessionOut]
    next: str | None


class SessionQuery(Schema):
    """`before`: the `next` of the page before, or a moment."""

    search: Annotated[Text, Field(max_length=200)] = ""
    before: Annotated[str, AfterValidator(_checked_cursor)] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50

    def cursor(self) -> tuple[datetime | None, SessionId | None]:
        """Returns the `active_at` and the id of the Session after which the page begins."""
        return parse_session_cursor(self.before) if self.before else (None, None)


class NewSession(Schema):
    title: Text = ""
    agent: Text = ""
    policy: Policy = "queue"


class SessionChange(Schema):
    """An absent field stays as it is."""

    title: Text | None = None
    agent: Text | None = None
    policy: Policy | None = None
    archived: bool | None = None


class EventRange(Schema):
    """Either on from a cursor (`after`, `limit`), or back from the newest or from `before` by messages (`last`)."""

    after: Seq | None = None
    epoch: Seq | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 500
    before: Seq | None = None
    last: Annotated[int, Field(ge=1, le=500)] | None = None

    @model_validator(mode="after")
    def check_direction(self) -> Self:
        if self.after is not None and (self.before is not None or self.last is not None):
            raise ValueError("give either `after` or `before` and `last`")
        return self


class ActorOut(Schema):
    kind: Literal["user", "agent", "system"]
    id: str
    name: str


class EventOut(Schema):
    seq: int
    kind: str
    at: str
    actor: ActorOut
    run: UUID | None
    data: dict[str, Any]


class EventPage(Schema):
    """Every Event of the seqs (`from`, `to`] that the log holds. `older`: there are messages before it; `restart`: the
    cursor was not of this log, and the page starts anew.
    """

    session: UUID
    epoch: int
    from_: Annotated[int, Field(alias="from")]
    to: int
    head: int
    events: list[EventOut]
    older: bool | None = None
    restart: bool | None = None


class TextPartIn(Schema):
    type: Literal["text"]
    text: str


class NewMessage(Schema):
    """`parts`, or `text` for a single one. `parent`: the message that it follows; the nil UUID for none; absent: the end of the
    active branch.
    """

    parts: Annotated[list[TextPartIn], Field(min_length=1)] | None = None
    text: str | None = None
    parent: UUID | None = None
    agent: Text | None = None
    policy: Policy | None = None

    @model_validator(mode="after")
    def check_one_content(self) -> Self:
        if (self.parts is None) == (self.text is None):
            raise ValueError("give either `parts` or `text`")
        return self

    def message_parts(self) -> list[Part]:
        """Returns the parts, also when `text` was given."""
        texts = [self.text] if self.text is not None else [part.text for part in self.parts or []]
        return [Part(type="text", text=text) for text in texts]


class PostedMessage(Schema):
    """`id` is the command's, `seq` that of the first Event that it appended. `run` is absent when the message steers one."""

    id: UUID
    seq: int
    message: UUID
    outcome: PostState
    run: UUID | None


class AskOut(Schema):
    """An open question. `by`: who may answer; absent: the owner and editors."""

    id: UUID
    run: UUID
    kind: AskKind
    title: str
    # In Python `schema` is a method of every schema.
    form: dict[str, Any] = Field(serialization_alias="schema")
    by: dict[str, list[str]] | None
    expires_at: Moment | None


class AskList(Schema):
    asks: list[AskOut]


class GivenAnswer(Schema):
    """A `value` that fits the question, or `declined`."""

    value: Any = None
    declined: bool = False


class GivenSignal(Schema):
    value: Any = None


class Answered(Schema):
    """`id` is the command's, `seq` that of the Event that it appended."""

    id: UUID
    seq: int


class ConsentOut(Schema):
    agent: str
    tool: str
    granted_by: str | None
    granted_at: Moment


class ConsentList(Schema):
    consents: list[ConsentOut]


class QueueChange(Schema):
    """`id` is the command's, `seq` that of the first Event that it appended."""

    id: UUID
    seq: int


class QueuedText(Schema):
    """The new text of a queued message."""

    text: Text


class UsageOut(Schema):
    """What models have read and written for a Run so far. `cost_usd` is null where the price is not known."""

    requests: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    estimated: bool
    cost_usd: float | None


class RunOut(Schema):
    """`waits_on`: for what a waiting Run waits; `retry_of`: the first Run of the answer that it tries again; `usage` is null
    where no model was asked.
    """

    id: UUID
    agent: str
    state: RunState
    attempt: int
    waits_on: WaitsOn | None
    replies_to: UUID | None
    retry_of: UUID | None
    parent: UUID | None
    requested_at: Moment
    started_at: Moment | None
    first_text_at: Moment | None
    ended_at: Moment | None
    error: str | None
    error_code: str | None
    usage: UsageOut | None


class RunList(Schema):
    """Newest first."""

    runs: list[RunOut]


class StoppedRuns(Schema):
    id: UUID
    seq: int
    runs: list[UUID]


class NewRun(Schema):
    """`id` is the command's, `seq` that of the Event that it appended."""

    id: UUID
    seq: int
    run: UUID


class AgentOut(Schema):
    name: str
    title: str
    description: str


class AgentList(Schema):
    """`default` answers when no agent was chosen."""

    agents: list[AgentOut]
    default: str
