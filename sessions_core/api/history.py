"""/api/sessions/{session}/events: the log of a Session, by range."""

from typing import Final

from django.http import HttpResponse
from ninja import Query, Router

from sessions_core import log
from sessions_core.api.authentication import ApiRequest
from sessions_core.api.commands import JSON, REFUSALS
from sessions_core.api.schemas import EventPage, EventRange
from sessions_core.log import LogPage
from sessions_core.protocol.ids import SessionId
from sessions_core.services import access

router = Router(tags=["history"])

_DEFAULT_MESSAGES: Final = 50  # of `before` without `last`


@router.get("/{session}/events", response={200: EventPage, **REFUSALS}, exclude_none=True, by_alias=True)
def list_events(request: ApiRequest, session: SessionId, query: Query[EventRange]) -> HttpResponse:
    """Reads the log by range: on from a cursor, or back by messages. Neighbouring deltas come merged; those of a completed
    message are deleted after a while, because `message.completed` holds the whole of it.
    """
    access.member(session, user=request.auth.user)
    if query.before is not None:
        page = log.open_before(session, before=query.before, messages=query.last or _DEFAULT_MESSAGES)
        return _response(page, older=page.older)
    if query.last is not None:
        page = log.open_last(session, messages=query.last)
        return _response(page, older=page.older)
    return _events_after(session, query)


def _events_after(session: SessionId, query: EventRange) -> HttpResponse:
    after = query.after or 0
    page = log.read(session, after=after, limit=query.limit)
    if after > page.head or (query.epoch is not None and query.epoch != page.span.epoch):
        return _response(log.read(session, after=0, limit=query.limit), restart=True)
    return _response(page)


def _response(page: LogPage, **flags: bool) -> HttpResponse:
    """Puts the envelope around the Events as bytes: `log` read them encoded, so they are neither decoded nor validated here."""
    span = page.span
    more = "".join(f',"{name}":{"true" if value else "false"}' for name, value in flags.items())
    start = (
        f'{{"session":"{span.session}","epoch":{span.epoch},"from":{span.start},"to":{span.end},'
        f'"head":{page.head}{more},"events":['
    )
    return HttpResponse(b"".join([start.encode(), span.body, b"]}"]), content_type=JSON)
