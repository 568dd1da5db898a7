"""What goes in and out as JSON, for OpenAPI and for checking. The words are those of the wire (docs/reference/wire.md)."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from ninja import Field, Schema
from pydantic import AfterValidator, AwareDatetime, PlainSerializer, TypeAdapter, model_validator

from sessions_core.protocol import clock
from sessions_core.protocol.events import Part, Role
from sessions_core.protocol.frames import Policy
from sessions_core.protocol.ids import SessionId

SEQ_LIMIT: Final = 2**53  # JavaScript's whole numbers end there


def _keepable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("a NUL character cannot be kept")
    return text


def _placed(before: str) -> str:
    if before:
        _place(before)
    return before


def _place(before: str) -> tuple[datetime, SessionId | None]:
    moment, _, session = before.partition("_")
    try:
        return _MOMENT.validate_strings(moment), SessionId(UUID(session)) if session else None
    except ValueError:
        raise ValueError("that is neither a `next` of this list nor a moment") from None


_MOMENT: Final = TypeAdapter(AwareDatetime)
Moment = Annotated[datetime, PlainSerializer(clock.wire, return_type=str)]
Text = Annotated[str, AfterValidator(_keepable)]
Seq = Annotated[int, Field(ge=0, le=SEQ_LIMIT)]


class Problem(Schema):
    """Why something was refused: `code` for programs, `message` for people, `retry`: the same may well succeed later."""

    code: str
    message: str
    retry: bool


class Refused(Schema):
    error: Problem


class SessionShown(Schema):
    """A Session as the caller sees it. `role` and `read_seq` are the caller's own; `running`: something is at work."""

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
    """Newest activity first; `next` is what to give as `before` for the following page, null on the last."""

    sessions: list[SessionShown]
    next: str | None


class SessionListing(Schema):
    """`before`: the `next` of the page before, or a moment."""

    search: Annotated[Text, Field(max_length=200)] = ""
    before: Annotated[str, AfterValidator(_placed)] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50

    def place(self) -> tuple[datetime | None, SessionId | None]:
        """Where the page begins: after what was active then, and of these after the one with that id."""
        return _place(self.before) if self.before else (None, None)


class NewSession(Schema):
    title: Text = ""
    agent: Text = ""
    policy: Policy = "queue"


class SessionChange(Schema):
    """What is absent stays as it is."""

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
    def one_way(self) -> Self:
        if self.after is not None and (self.before is not None or self.last is not None):
            raise ValueError("give either `after` or `before` and `last`")
        return self


class ActorShown(Schema):
    kind: Literal["user", "agent", "system"]
    id: str
    name: str


class EventShown(Schema):
    seq: int
    kind: str
    at: str
    actor: ActorShown
    run: UUID | None
    data: dict[str, Any]


class EventPage(Schema):
    """Every Event of the seqs (`from`, `to`] that the log holds. `older`: there are messages before it; `restart`: the
    cursor was not of this log, and what follows starts anew.
    """

    session: UUID
    epoch: int
    from_: Annotated[int, Field(alias="from")]
    to: int
    head: int
    events: list[EventShown]
    older: bool | None = None
    restart: bool | None = None


class TextPart(Schema):
    type: Literal["text"]
    text: str


class NewMessage(Schema):
    """`parts`, or `text` for a single one."""

    parts: Annotated[list[TextPart], Field(min_length=1, max_length=100)] | None = None
    text: str | None = None
    parent: UUID | None = None
    agent: Text | None = None
    policy: Policy | None = None

    @model_validator(mode="after")
    def said_once(self) -> Self:
        if (self.parts is None) == (self.text is None):
            raise ValueError("give either `parts` or `text`")
        return self

    def said(self) -> list[Part]:
        """The parts, whichever way they came."""
        texts = [self.text] if self.text is not None else [part.text for part in self.parts or []]
        return [Part(type="text", text=text) for text in texts]


class PostedShown(Schema):
    """`id` is the command's; `seq` the first Event that it made."""

    id: UUID
    seq: int
    message: UUID
    run: UUID


class RunShown(Schema):
    id: UUID
    agent: str
    state: str
    attempt: int
    replies_to: UUID | None
    parent: UUID | None
    requested_at: Moment
    started_at: Moment | None
    ended_at: Moment | None
    error: str | None


class RunList(Schema):
    """Newest first."""

    runs: list[RunShown]


class StoppedShown(Schema):
    id: UUID
    seq: int
    runs: list[UUID]


class RetriedShown(Schema):
    id: UUID
    seq: int
    run: UUID


class AgentShown(Schema):
    name: str
    title: str
    description: str


class AgentList(Schema):
    """`default` answers where none was chosen."""

    agents: list[AgentShown]
    default: str
