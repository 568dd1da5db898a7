"""The page of one Session, and its forms, which work without a script."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from chatapp.pages import frame, session_page, typed_text
from chatapp.pages.client_ids import client_id_of
from chatapp.pages.refusals import refusal_of
from chatapp.pages.signed_in import Request, signed_in
from sessions_core import log
from sessions_core.protocol.author import Author
from sessions_core.protocol.cursors import parse_seq
from sessions_core.protocol.errors import NotFound, Refusal
from sessions_core.protocol.events import Part
from sessions_core.protocol.frames import Policy
from sessions_core.protocol.ids import RunId, SessionId
from sessions_core.services import messages as posts
from sessions_core.services import runs, sessions

PAGE_MESSAGES: Final = 50  # on one page, as many as a cold start on the socket gives
PAGE_BYTES: Final = 512 * 1024  # of the Events of one page: fewer Messages where they are long, but always one


@require_safe
@signed_in
def home(request: Request, author: Author) -> HttpResponse:
    """Shows the composer for a new Session, and the list of Sessions."""
    return _home(request, author)


@require_POST
@signed_in
def begin(request: Request, author: Author) -> HttpResponse:
    """Creates a Session and posts its first Message. With the form's client id a double click creates one Session (P5).

    The script of the page asks for JSON, so a refusal does not replace the page.
    """
    client_id, text = client_id_of(request), _text(request)
    try:
        session = sessions.create(by=author, agent=request.POST.get("agent", ""), client_id=client_id)
        if text:
            posts.post(session, by=author, client_id=client_id, parts=[Part(type="text", text=text)])
    except Refusal as refusal:
        if request.accepts("text/html"):
            return _home(request, author, refusal, typed=text)
        return JsonResponse({"problem": refusal.message}, status=refusal.status)
    if request.accepts("text/html"):
        return redirect("session", session)
    return JsonResponse({"url": reverse("session", args=[session])}, status=201)


@require_safe
@signed_in
def conversation(request: Request, author: Author, session: UUID) -> HttpResponse:
    """Shows the newest Messages, with the Events that the script continues from. `?before=` shows the page before a seq."""
    return _page(request, author, SessionId(session))


@require_POST
@signed_in
def post(request: Request, author: Author, session: UUID) -> HttpResponse:
    """Posts a Message. A refusal shows the page again, with the reason and the typed text."""
    text = _text(request)
    parts = [Part(type="text", text=text)]
    policy: Policy | None = "steer" if request.POST.get("policy") == "steer" else None
    try:
        posts.post(SessionId(session), by=author, client_id=client_id_of(request), parts=parts, policy=policy)
    except NotFound:
        raise
    except Refusal as refusal:
        return _page(request, author, SessionId(session), refusal, typed=text)
    return redirect("session", session)


@require_POST
@signed_in
def stop(request: Request, author: Author, session: UUID) -> HttpResponse:
    """Stops the Run that the page names, so that what waits in the queue stays there; without one, every active Run."""
    client_id, run_id = client_id_of(request), _run(request)
    return _perform(
        request, session, lambda: runs.cancel(SessionId(session), by=author, client_id=client_id, run_id=run_id)
    )


@require_POST
@signed_in
def stop_all(request: Request, author: Author, session: UUID) -> HttpResponse:
    """Stops every active Run of the Session, and takes back what waits in the queue."""
    client_id = client_id_of(request)
    return _perform(request, session, lambda: runs.cancel(SessionId(session), by=author, client_id=client_id))


@require_POST
@signed_in
def resume_queue(request: Request, author: Author, session: UUID) -> HttpResponse:
    """Lets a paused queue go on."""
    client_id = client_id_of(request)
    return _perform(request, session, lambda: runs.resume_queue(SessionId(session), by=author, client_id=client_id))


@require_POST
@signed_in
def retry(request: Request, author: Author, session: UUID, run: UUID) -> HttpResponse:
    """Retries a Run that failed or was stopped."""
    client_id, run_id = client_id_of(request), RunId(run)
    return _perform(
        request, session, lambda: runs.retry(SessionId(session), by=author, client_id=client_id, run_id=run_id)
    )


def _home(request: Request, author: Author, refusal: Refusal | None = None, *, typed: str = "") -> HttpResponse:
    context = {**frame.context(author), "client_id": uuid4(), "limit": posts.MESSAGE_CHARACTERS, "typed": typed}
    return _render(request, "home.html", context, refusal)


def _page(
    request: Request, author: Author, session_id: SessionId, refusal: Refusal | None = None, *, typed: str = ""
) -> HttpResponse:
    session = sessions.get(session_id, user=author.user)
    before = _seq(request.GET.get("before", ""))
    page = (
        log.open_before(session_id, before=before, messages=PAGE_MESSAGES, size=PAGE_BYTES)
        if before is not None
        else log.open_last(session_id, messages=PAGE_MESSAGES, size=PAGE_BYTES)
    )
    context: dict[str, Any] = {
        **frame.context(author, current=str(session_id)),
        **session_page.context(page, session=session, me=author.user),
        "earlier": before is not None,
        "limit": posts.MESSAGE_CHARACTERS,
        "client_id": uuid4(),
        "typed": typed,
    }
    return _render(request, "session/session.html", context, refusal)


def _render(request: Request, template: str, context: dict[str, Any], refusal: Refusal | None) -> HttpResponse:
    if refusal is None:
        return render(request, template, context)
    return render(request, template, {**context, "refused": refusal.message}, status=refusal.status)


def _perform(request: Request, session: UUID, act: Callable[[], object]) -> HttpResponse:
    if refused := refusal_of(act):
        messages.error(request, refused)
    return redirect("session", session)


def _seq(text: str) -> int | None:
    """Returns the seq, or None for what is none: then the page shows the newest Messages."""
    try:
        return parse_seq(text)
    except ValueError:
        return None


def _text(request: Request) -> str:
    return typed_text.clean(request.POST.get("text", ""))


def _run(request: Request) -> RunId | None:
    try:
        return RunId(UUID(request.POST.get("run", "")))
    except ValueError:
        return None
