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
from sessions_core.protocol.events import Ended, PartType
from sessions_core.protocol.ids import SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.protocol.timeline import MessageState, Timeline
from sessions_core.services import sessions

router = Router(tags=["history"])

_ENCODER: Final = msgspec.json.Encoder()


class TimelinePart(Schema):
    type: PartType
    text: str


class TimelineMessage(Schema):
    """One Message; `seq` is of the Event that began it. `agent` and `run` are null for a Message that a person posted. `ended`:
    why a complete Message is not the whole answer.
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


class TimelineRun(Schema):
    """The state of a Run, folded from its Events."""

    id: UUID
    agent: str
    parent: UUID | None
    replies_to: UUID | None
    state: RunState
    attempt: int
    progress: dict[str, Any] | None = None
    cancel_requested_by: dict[str, str] | None = None
    error: ErrorDetail | None = None
    reason: str | None = None


class TimelineOut(Schema):
    """Messages and Runs in the order of the log, of the seqs (`from`, `cursor`]. Follow on from `cursor`. `older`: there are
    messages before it; ask for them with `before` = `from`.
    """

    session: UUID
    title: str
    epoch: int
    from_: Annotated[int, Field(alias="from")]
    cursor: int
    older: bool
    messages: list[TimelineMessage]
    runs: list[TimelineRun]


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
    body = {
        "session": session,
        "title": summary.title,
        "epoch": page.span.epoch,
        "from": page.span.start,
        "cursor": page.span.end,
        "older": page.older,
        "messages": list(folded.messages.values()),
        "runs": list(folded.runs.values()),
    }
    return HttpResponse(_ENCODER.encode(body), content_type=JSON)
