"""/api/sessions/{session}/timeline: the folded conversation, as a screen shows it."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from django.http import HttpResponse
from ninja import Field, Query, Router, Schema

from sessions_core import log
from sessions_core.api.authentication import ApiRequest
from sessions_core.api.commands import JSON, REFUSALS
from sessions_core.api.schemas import ActorOut, ErrorDetail, Seq
from sessions_core.protocol import timeline
from sessions_core.protocol.branches import Branches
from sessions_core.protocol.events import AskEnd, AskKind, Ended, PartType
from sessions_core.protocol.ids import SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.protocol.timeline_types import AskState, CallState, MessageState, Timeline
from sessions_core.services import sessions

router = Router(tags=["history"])

_ENCODER: Final = msgspec.json.Encoder()


class TimelinePart(Schema):
    type: PartType
    text: str


class TimelinePerson(Schema):
    id: str
    name: str


class TimelineMessage(Schema):
    """One Message; `seq` is of the Event that put it into the conversation. `agent` and `run` are null for one that a person
    posted. `ended`: why a complete Message is not the whole answer. `steered`: the Run that has read it while it worked.
    """

    id: UUID
    role: Literal["user", "assistant"]
    parent: UUID | None
    agent: str | None
    actor: ActorOut
    at: str
    run: UUID | None
    seq: int
    parts: list[TimelinePart]
    state: MessageState
    usage: dict[str, Any] | None = None
    ended: Ended | None = None
    steered: UUID | None = None


class TimelineRun(Schema):
    """The state of a Run, folded from its Events. `seq` is that of `run.started`, and before it that of the request; absent while
    it waits in the queue. `retry_of`: the first Run of the answer that it tries again. `waiting`: what it waits for, as
    `run.waiting` says it.
    """

    id: UUID
    agent: str
    parent: UUID | None
    replies_to: UUID | None
    state: RunState
    attempt: int
    seq: int | None = None
    retry_of: UUID | None = None
    progress: dict[str, Any] | None = None
    waiting: dict[str, Any] | None = None
    cancel_requested_by: TimelinePerson | None = None
    error: ErrorDetail | None = None
    reason: str | None = None
    usage: dict[str, Any] | None = None


class TimelineCall(Schema):
    """A call of a tool; `id` is unique in its Run. `unknown`: nobody knows whether the tool has done its work."""

    id: str
    run: UUID
    name: str
    input: Any
    seq: int
    state: CallState
    message: UUID | None = None
    step: str | None = None
    progress: dict[str, Any] | None = None
    output: Any = None
    error: str | None = None
    unknown: bool = False


class TimelineAsk(Schema):
    """A question to people. `by`: who may answer; absent: owner and editors. `tool`: what a consent may be given for with the
    answer. `reason`: why it was closed without an answer; `message`: what a person wrote instead.
    """

    id: UUID
    run: UUID
    seq: int
    at: str
    kind: AskKind
    title: str
    schema_: Annotated[Any, Field(alias="schema")]
    state: AskState
    expires_at: str | None = None
    by: dict[str, list[str]] | None = None
    call: str | None = None
    tool: str | None = None
    default: Any = None
    value: Any = None
    answered_by: TimelinePerson | None = None
    device: str | None = None
    device_label: str | None = None
    reason: AskEnd | None = None
    closed_by: TimelinePerson | None = None
    message: UUID | None = None


class TimelineQueue(Schema):
    """Whether the queue waits for a person, and because of which Run."""

    paused: bool
    reason: Literal["failed", "stopped"] | None = None
    run: UUID | None = None


class TimelineConsent(Schema):
    """The agent may use the tool unasked."""

    tool: str
    agent: str
    by: TimelinePerson


class TimelineOut(Schema):
    """Everything in the order of the log, of the seqs (`from`, `cursor`]. Follow on from `cursor`. `older`: there are messages
    before it; ask for them with `before` = `from`. `branch`: the messages of the active branch, by their ids; the others hang on
    other branches, or are not sent yet. `queue` is null while nothing was said about it.
    """

    session: UUID
    title: str
    epoch: int
    from_: Annotated[int, Field(alias="from")]
    cursor: int
    older: bool
    messages: list[TimelineMessage]
    runs: list[TimelineRun]
    calls: list[TimelineCall]
    asks: list[TimelineAsk]
    consents: list[TimelineConsent]
    queue: TimelineQueue | None
    branch: list[UUID]


@router.get("/{session}/timeline", response={200: TimelineOut, **REFUSALS}, by_alias=True)
def show_timeline(
    request: ApiRequest,
    session: SessionId,
    last: Annotated[int | None, Query(ge=1, le=500)] = None,
    before: Annotated[Seq | None, Query()] = None,
) -> HttpResponse:
    """Returns the conversation as a screen shows it: its `last` messages or all, up to the head or to `before`; the newest of
    them when they are more than 2 MiB together.
    """
    summary = sessions.get(session, user=request.auth.user)
    page = (
        log.open_last(session, messages=last)
        if before is None
        else log.open_before(session, before=before, messages=last)
    )
    folded = Timeline()
    timeline.fold(folded, page.events)
    branches = Branches(folded)
    body = {
        "session": session,
        "title": summary.title,
        "epoch": page.span.epoch,
        "from": page.span.start,
        "cursor": page.span.end,
        "older": page.older,
        "messages": list(folded.messages.values()),
        "runs": list(folded.runs.values()),
        "calls": list(folded.calls.values()),
        "asks": list(folded.asks.values()),
        "consents": list(folded.consents.values()),
        "queue": folded.queue,
        "branch": [id for id in branches.messages_of(branches.active()) if id in folded.messages],
    }
    return HttpResponse(_ENCODER.encode(body), content_type=JSON)
