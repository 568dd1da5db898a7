"""The list of Sessions in the side bar: found, paged, renamed, archived, deleted. htmx asks for its parts."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from chatapp.pages.days import by_day
from chatapp.pages.signed_in import Request, signed_in
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import NotFound, Refusal
from sessions_core.protocol.ids import SessionId
from sessions_core.services import sessions

_NOTHING_TO_SWAP: Final = 204  # the list fetches itself on `ds:sessions`
PAGE: Final = 40  # Sessions of one page of the list: more than a screen shows


def context(
    author: Author,
    *,
    search: str = "",
    before: datetime | None = None,
    before_id: SessionId | None = None,
    current: str = "",
) -> dict[str, Any]:
    """What `listing/list.html` shows; one Session more is read than shown, to know whether there are others."""
    found = sessions.listing(user=author.user, search=search, before=before, before_id=before_id, limit=PAGE + 1)
    shown = found[:PAGE]
    return {
        "groups": list(by_day(shown)),
        "search": search,
        "current": current,
        "next": shown[-1] if len(found) > PAGE else None,
        "first_page": before is None,
    }


@signed_in
def listing(request: Request, author: Author) -> HttpResponse:
    before = _moment(request.GET.get("before", ""))
    before_id = _session(request.GET.get("before_id", ""))
    search = request.GET.get("search", "").strip()[:200]
    current = request.GET.get("current", "")
    return render(
        request,
        "listing/list.html",
        context(author, search=search, before=before, before_id=before_id, current=current),
    )


@signed_in
def item(request: Request, author: Author, session: UUID, part: str = "item") -> HttpResponse:
    """One row of the list: itself, its `menu`, or its `rename` form."""
    found = sessions.get(SessionId(session), user=author.user)
    current = request.GET.get("current", "")
    return render(request, f"listing/item.html#{part}", {"session": found, "current": current})


@require_POST
@signed_in
def rename(request: Request, author: Author, session: UUID) -> HttpResponse:
    title = request.POST.get("title", "")
    refused = _refusal(lambda: sessions.rename(SessionId(session), by=author, title=title))
    return _answer(request, session, refused)


@require_POST
@signed_in
def archive(request: Request, author: Author, session: UUID) -> HttpResponse:
    refused = _refusal(lambda: sessions.archive(SessionId(session), by=author))
    return _shown_anew(request, session) or _answer(request, session, refused)


@require_POST
@signed_in
def restore(request: Request, author: Author, session: UUID) -> HttpResponse:
    refused = _refusal(lambda: sessions.restore(SessionId(session), by=author))
    return _shown_anew(request, session) or _answer(request, session, refused)


@require_POST
@signed_in
def delete(request: Request, author: Author, session: UUID) -> HttpResponse:
    """Deletes for all; who looks at it is taken home."""
    refused = _refusal(lambda: sessions.delete(SessionId(session), by=author))
    if refused:
        return _answer(request, session, refused)
    if not request.htmx:
        return redirect("home")
    return HttpResponseClientRedirect(reverse("home")) if _looks_at(request, session) else _answer(request, session)


def _refusal(act: Callable[[], None]) -> str:
    try:
        act()
    except NotFound:
        raise
    except Refusal as refusal:
        return refusal.message
    return ""


def _answer(request: Request, session: UUID, refused: str = "") -> HttpResponse:
    """The way it was asked: htmx gets events, a plain form the page again."""
    if not request.htmx:
        if refused:
            messages.error(request, refused)
        return redirect("session", session)
    answer = trigger_client_event(HttpResponse(status=_NOTHING_TO_SWAP), "ds:sessions", {})
    return trigger_client_event(answer, "ds:notice", {"text": refused}) if refused else answer


def _shown_anew(request: Request, session: UUID) -> HttpResponse | None:
    """The open page drawn again, because its composer comes or goes."""
    here = request.htmx and _looks_at(request, session)
    return HttpResponseClientRedirect(reverse("session", args=[session])) if here else None


def _looks_at(request: Request, session: UUID) -> bool:
    return reverse("session", args=[session]) in (request.htmx.current_url or "")


def _session(text: str) -> SessionId | None:
    try:
        return SessionId(UUID(text))
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    """The cursor of a page, or None for what is none: then the list begins anew."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
