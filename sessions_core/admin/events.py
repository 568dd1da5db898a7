"""The admin's page of a Session's log: in order, by pages, to be read only."""

import json
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from sessions_core.models import Event, Session
from sessions_core.protocol.events import KINDS

PAGE: Final = 100  # Events of one page
_SEQ_LIMIT: Final = 2**62  # above every seq, and within the database's whole numbers
_DIGITS: Final = 19  # of _SEQ_LIMIT


def events_page(request: HttpRequest, session: Session, context: dict[str, Any]) -> HttpResponse:
    """A page of the log: `?after=` on from a seq, `?before=` back from one, `?kind=` of one kind only."""
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
            "events": [(event, _pretty(event.data)) for event in page],
            "kind": kind,
            "kinds": sorted(KINDS),
            "ways": _ways(rows, page, session, kind),
        },
    )


def _page(rows: QuerySet[Event], request: HttpRequest) -> list[Event]:
    before = _seq(request.GET.get("before", ""))
    if before is not None:
        return list(rows.filter(seq__lt=before).order_by("-seq")[:PAGE])[::-1]
    return list(rows.filter(seq__gt=_seq(request.GET.get("after", "")) or 0).order_by("seq")[:PAGE])


def _ways(rows: QuerySet[Event], page: list[Event], session: Session, kind: str) -> list[tuple[str, str]]:
    """Where to go from this page, as (what, address)."""
    first, last = (page[0].seq, page[-1].seq) if page else (0, 0)
    base = reverse("admin:sessions_core_session_events", args=[session.pk])
    ways: list[tuple[str, dict[str, str | int]]] = []
    if rows.filter(seq__lt=first).exists():
        ways += [("First", {"after": 0}), ("Earlier", {"before": first})]
    if rows.filter(seq__gt=last).exists():
        ways += [("Later", {"after": last}), ("Last", {"before": _SEQ_LIMIT})]
    more: dict[str, str | int] = {"kind": kind} if kind else {}
    return [(what, f"{base}?{urlencode({**where, **more})}") for what, where in ways]


def _seq(said: str) -> int | None:
    return min(int(said), _SEQ_LIMIT) if said.isdecimal() and len(said) <= _DIGITS else None


def _pretty(data: object) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False)
