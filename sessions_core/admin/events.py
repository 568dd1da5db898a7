"""The admin's page of a Session's log: the Events in order, page by page."""

import json
from collections.abc import Sequence
from typing import Any, Final

from django.db.models import Case, F, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from sessions_core.models import Event, Session
from sessions_core.protocol.events import KINDS

PAGE_EVENTS: Final = 100
SHOWN_BYTES: Final = 16 * 1024  # of one Event; a larger one is not fetched
_SEQ_LIMIT: Final = 2**62  # above every seq, and within PostgreSQL's bigint
_SEQ_DIGITS: Final = 19  # of _SEQ_LIMIT


def events_page(request: HttpRequest, session: Session, context: dict[str, Any]) -> HttpResponse:
    """Renders the Events after `?after=`, or those before `?before=`; with `?kind=` only those of one kind."""
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else ""
    rows = Event.objects.filter(session=session.pk, **({"kind": kind} if kind else {}))
    page = _page(rows, request)
    return TemplateResponse(
        request,
        "admin/sessions_core/session/events.html",
        {
            **context,
            "title": f"Events of {session}",
            "opts": Session._meta,  # noqa: SLF001  # Django's documented API
            "session": session,
            "events": [(event, _pretty(event)) for event in page],
            "kind": kind,
            "kinds": sorted(KINDS),
            "links": _links(rows, page, session, kind),
        },
    )


def _page(rows: QuerySet[Event], request: HttpRequest) -> Sequence[Event]:
    shown = Case(When(size__lte=SHOWN_BYTES, then=F("data")))
    rows = rows.defer("data").annotate(shown=shown)
    before = _parse_seq(request.GET.get("before", ""))
    if before is not None:
        return list(rows.filter(seq__lt=before).order_by("-seq")[:PAGE_EVENTS])[::-1]
    return list(rows.filter(seq__gt=_parse_seq(request.GET.get("after", "")) or 0).order_by("seq")[:PAGE_EVENTS])


def _links(rows: QuerySet[Event], page: Sequence[Event], session: Session, kind: str) -> list[tuple[str, str]]:
    """Returns the links to other pages of the log, as (label, address)."""
    first, last = (page[0].seq, page[-1].seq) if page else (0, 0)
    base = reverse("admin:sessions_core_session_events", args=[session.pk])
    links: list[tuple[str, dict[str, str | int]]] = []
    if rows.filter(seq__lt=first).exists():
        links += [("First", {"after": 0}), ("Earlier", {"before": first})]
    if rows.filter(seq__gt=last).exists():
        links += [("Later", {"after": last}), ("Last", {"before": _SEQ_LIMIT})]
    filters: dict[str, str | int] = {"kind": kind} if kind else {}
    return [(label, f"{base}?{urlencode({**position, **filters})}") for label, position in links]


def _parse_seq(text: str) -> int | None:
    return min(int(text), _SEQ_LIMIT) if text.isdecimal() and len(text) <= _SEQ_DIGITS else None


def _pretty(event: Event) -> str:
    if event.size > SHOWN_BYTES:
        return f"{event.size:,} bytes, too many to show here"
    return json.dumps(event.shown, indent=2, ensure_ascii=False)  # type: ignore[attr-defined]  # annotated in _page
