"""/api/sessions: the caller's Sessions."""

from django.http import HttpResponse
from ninja import Query, Router, Status

from sessions_core.api.authentication import ApiRequest
from sessions_core.api.commands import REFUSALS, IdempotencyKey
from sessions_core.api.schemas import NewSession, SessionChange, SessionList, SessionOut, SessionQuery
from sessions_core.protocol.author import Author
from sessions_core.protocol.cursors import session_cursor
from sessions_core.protocol.ids import ClientId, SessionId
from sessions_core.services import deletion, sessions
from sessions_core.services.sessions import SessionSummary

router = Router(tags=["sessions"])


@router.get("", response={200: SessionList, **REFUSALS})
def list_sessions(request: ApiRequest, query: Query[SessionQuery]) -> dict[str, object]:
    """Lists the Sessions in which you take part, newest activity first."""
    before, before_id = query.cursor()
    rows = sessions.listing(
        user=request.auth.user,
        search=query.search.strip(),
        before=before,
        before_id=before_id,
        limit=query.limit + 1,
    )
    page = rows[: query.limit]
    more = len(rows) > query.limit
    return {"sessions": page, "next": session_cursor(page[-1].active_at, page[-1].id) if more else None}


@router.post("", response={201: SessionOut, **REFUSALS})
def create_session(request: ApiRequest, new: NewSession, key: IdempotencyKey = None) -> Status[SessionSummary]:
    """Creates a Session that you own."""
    created = sessions.create(
        by=request.auth,
        title=new.title,
        agent=new.agent,
        policy=new.policy,
        client_id=ClientId(key) if key else None,
    )
    return Status(201, sessions.get(created, user=request.auth.user))


@router.get("/{session}", response={200: SessionOut, **REFUSALS})
def show_session(request: ApiRequest, session: SessionId) -> SessionSummary:
    """Returns one Session."""
    return sessions.get(session, user=request.auth.user)


@router.patch("/{session}", response={200: SessionOut, **REFUSALS})
def change_session(request: ApiRequest, session: SessionId, change: SessionChange) -> SessionSummary:
    """Renames, configures, archives or restores a Session; what is absent stays as it is."""
    before = sessions.get(session, user=request.auth.user)
    _apply(change, before, by=request.auth)
    return sessions.get(session, user=request.auth.user)


@router.delete("/{session}", response={204: None, **REFUSALS})
def delete_session(request: ApiRequest, session: SessionId) -> HttpResponse:
    """Deletes a Session with all its messages, for everybody. Only its owner may."""
    deletion.delete(session, by=request.auth)
    return HttpResponse(status=204)


def _apply(change: SessionChange, before: SessionSummary, *, by: Author) -> None:
    """Restores first and archives last: an archived Session takes no other change."""
    if change.archived is False and before.archived_at is not None:
        sessions.restore(before.id, by=by)
    if change.agent is not None or change.policy is not None:
        sessions.configure(before.id, by=by, agent=change.agent, policy=change.policy)
    if change.title is not None:
        sessions.rename(before.id, by=by, title=change.title)
    if change.archived is True and before.archived_at is None:
        sessions.archive(before.id, by=by)
