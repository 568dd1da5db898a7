"""The tools that agents may use in a Session without asking, and the forms that take that back."""

from contextlib import suppress
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from chatapp.pages import frame
from chatapp.pages.client_ids import client_id_of
from chatapp.pages.refusals import refusal_of
from chatapp.pages.signed_in import Request, signed_in
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import NotFound
from sessions_core.protocol.ids import SessionId
from sessions_core.services import consents, sessions


@require_safe
@signed_in
def listing(request: Request, author: Author, session: UUID) -> HttpResponse:
    """Shows what is granted in the Session, to everybody who takes part."""
    found = sessions.get(SessionId(session), user=author.user)
    granted = consents.of_session(SessionId(session), user=author.user)
    rows = [{"consent": each, "agent": frame.agent(each.agent)} for each in granted]
    context = {"session": found, "rows": rows, "may_revoke": found.role != "viewer"}
    return render(request, "session/consents.html", {**frame.context(author, current=str(session)), **context})


@require_POST
@signed_in
def revoke(request: Request, author: Author, session: UUID) -> HttpResponse:
    """Takes a consent back: the agent asks again before it uses the tool."""
    session_id = SessionId(session)
    sessions.get(session_id, user=author.user)
    agent, tool, client_id = request.POST.get("agent", ""), request.POST.get("tool", ""), client_id_of(request)
    with suppress(NotFound):  # somebody else has taken it back
        refused = refusal_of(
            lambda: consents.revoke(session_id, by=author, client_id=client_id, agent=agent, tool=tool)
        )
        if refused:
            messages.error(request, refused)
    return redirect("consents", session)
