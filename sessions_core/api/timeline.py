"""/api/sessions/{session}/timeline: the folded conversation, as a screen shows it."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from django.http import HttpResponse
from ninja import Query, Router, Schema

from sessions_core import log
from sessions_core.api.authentication import ApiRequest
from sessions_core.api.commands import JSON, REFUSALS
from sessions_core.api.schemas import ActorOut, ErrorDetail
from sessions_core.log import LogPage
from sessions_core.protocol import timeline
from sessions_core.protocol.events import PartType
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
    """One Message; `seq` is of the Event that began it. `agent` and `run` are null for a Message that a person posted."""

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
    """Messages and Runs in the order of the log, up to `cursor`: follow on from there. `older`: there are messages before."""

    session: UUID
    title: str
    epoch: int
    cursor: int
    older: bool
    messages: list[TimelineMessage]
    runs: list[TimelineRun]


@router.get("/{session}/timeline", response={200: TimelineOut, **REFUSALS})
def show_timeline(
    request: ApiRequest, session: SessionId, last: Annotated[int | None, Query(ge=1, le=500)] = None
) -> HttpResponse:
    """Returns the conversation as a screen shows it: whole, or its `last` messages."""
    summary = sessions.get(session, user=request.auth.user)
    pages = [log.open_last(session, messages=last)] if last else _all_pages(session)
    folded, older = Timeline(), False
    for page in pages:
        timeline.fold(folded, page.events)
        folded.epoch, folded.cursor = page.span.epoch, page.span.end
        older = older or page.older
    body = {
        "session": session,
        "title": summary.title,
        "epoch": folded.epoch,
        "cursor": folded.cursor,
        "older": older,
        "messages": list(folded.messages.values()),
        "runs": list(folded.runs.values()),
    }
    return HttpResponse(_ENCODER.encode(body), content_type=JSON)


def _all_pages(session: SessionId) -> Iterator[LogPage]:
    """Reads up to the head of the first read: in a busy Session the newest head might never be reached."""
    page = log.read(session, after=0)
    head = page.head
    yield page
    while page.span.end < head:
        page = log.read(session, after=page.span.end, until=head)
        yield page
