"""/api/sessions/{session}/events: what was said, as the log has it."""

from typing import Final

from django.http import HttpResponse
from ninja import Query, Router

from sessions_core import log
from sessions_core.api.authentication import ApiRequest
from sessions_core.api.commands import REFUSALS
from sessions_core.api.schemas import EventPage, EventRange
from sessions_core.log import Page
from sessions_core.protocol.ids import SessionId
from sessions_core.services import access

router = Router(tags=["history"])

_MESSAGES: Final = 50  # of a cold start that does not say how many
_JSON: Final = "application/json; charset=utf-8"


@router.get("/{session}/events", response={200: EventPage, **REFUSALS}, exclude_none=True, by_alias=True)
def list_events(request: ApiRequest, session: SessionId, asked: Query[EventRange]) -> HttpResponse:
    """The log by range: on from a cursor, or back by messages. Deltas come merged; those of a completed message are
    deleted after a while, because `message.completed` holds the whole of it.
    """
    access.member(session, user=request.auth.user)
    if asked.before is not None:
        page = log.before(session, before=asked.before, messages=asked.last or _MESSAGES)
        return _answer(page, older=page.older)
    if asked.last is not None:
        page = log.open_last(session, messages=asked.last)
        return _answer(page, older=page.older)
    return _answer_after(session, asked)


def _answer_after(session: SessionId, asked: EventRange) -> HttpResponse:
    after = asked.after or 0
    page = log.read(session, after=after, limit=asked.limit)
    if after > page.head or (asked.epoch is not None and asked.epoch != page.span.epoch):
        return _answer(log.read(session, after=0, limit=asked.limit), restart=True)
    return _answer(page)


def _answer(page: Page, **flags: bool) -> HttpResponse:
    """The Events were encoded when they were read, for the socket just so: they are not taken apart again."""
    span = page.span
    said = "".join(f',"{name}":{"true" if value else "false"}' for name, value in flags.items())
    opening = (
        f'{{"session":"{span.session}","epoch":{span.epoch},"from":{span.start},"to":{span.end},'
        f'"head":{page.head}{said},"events":['
    )
    return HttpResponse(b"".join([opening.encode(), span.body, b"]}"]), content_type=_JSON)
