"""The list of Sessions in the side bar: search, paging, rename, archive, delete. htmx loads parts of it."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from chatapp.pages import session_list
from chatapp.pages.refusals import refusal_of
from chatapp.pages.signed_in import Request, signed_in
from sessions_core.protocol.author import Author
from sessions_core.protocol.cursors import parse_session_cursor
from sessions_core.protocol.ids import SessionId
from sessions_core.services import deletion, sessions

_NO_CONTENT: Final = 204  # nothing to swap: the list loads itself again on `ds:sessions`


@signed_in
def listing(request: Request, author: Author) -> HttpResponse:
    before, before_id = _cursor(request.GET.get("before", ""))
    search = request.GET.get("search", "").strip()[:200]
    current = request.GET.get("current", "")
    return render(
        request,
        "listing/list.html",
        session_list.context(author, search=search, before=before, before_id=before_id, current=current),
    )


@signed_in
def item(request: Request, author: Author, session: UUID, part: str = "item") -> HttpResponse:
    """Shows one row of the list, its `menu`, or its `rename` form."""
    found = sessions.get(SessionId(session), user=author.user)
    current = request.GET.get("current", "")
    return render(request, f"listing/item.html#{part}", {"session": found, "current": current})


@require_POST
@signed_in
def rename(request: Request, author: Author, session: UUID) -> HttpResponse:
    title = request.POST.get("title", "")
    refused = refusal_of(lambda: sessions.rename(SessionId(session), by=author, title=title))
    return _respond(request, session, refused)


@require_POST
@signed_in
def archive(request: Request, author: Author, session: UUID) -> HttpResponse:
    refused = refusal_of(lambda: sessions.archive(SessionId(session), by=author))
    return _reload(request, session) or _respond(request, session, refused)


@require_POST
@signed_in
def restore(request: Request, author: Author, session: UUID) -> HttpResponse:
    refused = refusal_of(lambda: sessions.restore(SessionId(session), by=author))
    return _reload(request, session) or _respond(request, session, refused)


@require_POST
@signed_in
def delete(request: Request, author: Author, session: UUID) -> HttpResponse:
    """Deletes the Session for everybody. A browser that shows it goes to the start page."""
    refused = refusal_of(lambda: deletion.delete(SessionId(session), by=author))
    if refused:
        return _respond(request, session, refused)
    if not request.htmx:
        return redirect("home")
    return HttpResponseClientRedirect(reverse("home")) if _is_open(request, session) else _respond(request, session)


def _respond(request: Request, session: UUID, refused: str = "") -> HttpResponse:
    """Answers htmx with an event, and a plain form with the page of the Session.

    After a refusal the list stays as it is: what was typed in it is to be mended.
    """
    if not request.htmx:
        if refused:
            messages.error(request, refused)
        return redirect("session", session)
    response = HttpResponse(status=_NO_CONTENT)
    if refused:
        return trigger_client_event(response, "ds:notice", {"text": refused})
    return trigger_client_event(response, "ds:sessions", {})


def _reload(request: Request, session: UUID) -> HttpResponse | None:
    """Reloads the page if it shows the Session, because its composer comes or goes."""
    is_open = request.htmx and _is_open(request, session)
    return HttpResponseClientRedirect(reverse("session", args=[session])) if is_open else None


def _is_open(request: Request, session: UUID) -> bool:
    return reverse("session", args=[session]) in (request.htmx.current_url or "")


def _cursor(text: str) -> tuple[datetime | None, SessionId | None]:
    """Returns the position in the list. A text that is none begins the list anew."""
    try:
        return parse_session_cursor(text)
    except ValueError:
        return None, None
