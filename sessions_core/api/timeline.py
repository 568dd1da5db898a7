"""/api/sessions/{session}/timeline: the folded conversation, as a screen shows it."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from django.http import HttpResponse
from ninja import Query, Router, Schema

from sessions_core import log
from sessions_core.api.authentication import ApiRequest
from sessions_core.api.commands import REFUSALS
from sessions_core.api.schemas import ActorShown, Problem
from sessions_core.log import Page
from sessions_core.protocol import timeline
from sessions_core.protocol.events import PartType
from sessions_core.protocol.ids import SessionId
from sessions_core.protocol.timeline import MessageState, RunState, Timeline
from sessions_core.services import sessions

router = Router(tags=["history"])

_ENCODER: Final = msgspec.json.Encoder()


class PartShown(Schema):
    type: PartType
    text: str


class MessageShown(Schema):
    """What one side said; `seq` is of the Event that began it. `agent` and `run` are null for what a person posted."""

    id: UUID
    role: Literal["user", "assistant"]
    parent: UUID | None
    agent: str | None
    actor: ActorShown
    at: str
    run: UUID | None
    seq: int
    parts: list[PartShown]
    state: MessageState
    usage: dict[str, Any] | None = None


class RunFolded(Schema):
    """How a Run stands, in the words of its Events."""

    id: UUID
    agent: str
    parent: UUID | None
    replies_to: UUID | None
    state: RunState
    attempt: int
    progress: dict[str, Any] | None = None
    cancel_requested_by: dict[str, str] | None = None
    error: Problem | None = None
    reason: str | None = None


class TimelineShown(Schema):
    """Messages and Runs in the order of the log, up to `cursor`: follow on from there. `older`: there are messages before."""

    session: UUID
    title: str
    epoch: int
    cursor: int
    older: bool
    messages: list[MessageShown]
    runs: list[RunFolded]


@router.get("/{session}/timeline", response={200: TimelineShown, **REFUSALS})
def show_timeline(
    request: ApiRequest, session: SessionId, last: Annotated[int | None, Query(ge=1, le=500)] = None
) -> HttpResponse:
    """The conversation as a screen shows it: whole, or its `last` messages."""
    listed = sessions.get(session, user=request.auth.user)
    pages = [log.open_last(session, messages=last)] if last else _whole(session)
    folded, older = Timeline(), False
    for page in pages:
        timeline.fold(folded, page.events)
        folded.epoch, folded.cursor = page.span.epoch, page.span.end
        older = older or page.older
    shown = {
        "session": session,
        "title": listed.title,
        "epoch": folded.epoch,
        "cursor": folded.cursor,
        "older": older,
        "messages": list(folded.messages.values()),
        "runs": list(folded.runs.values()),
    }
    return HttpResponse(_ENCODER.encode(shown), content_type="application/json; charset=utf-8")


def _whole(session: SessionId) -> Iterator[Page]:
    """To the head as it is at the first read: what is said meanwhile would keep this going."""
    page = log.read(session, after=0)
    head = page.head
    yield page
    while page.span.end < head:
        page = log.read(session, after=page.span.end, until=head)
        yield page
