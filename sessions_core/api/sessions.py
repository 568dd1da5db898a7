"""/api/sessions: the caller's Sessions."""

from datetime import UTC

from django.http import HttpResponse
from ninja import Query, Router, Status

from sessions_core.api.authentication import ApiRequest
from sessions_core.api.commands import REFUSALS, IdempotencyKey
from sessions_core.api.schemas import NewSession, SessionChange, SessionList, SessionListing, SessionShown
from sessions_core.protocol.author import Author
from sessions_core.protocol.ids import ClientId, SessionId
from sessions_core.services import sessions
from sessions_core.services.sessions import Listed

router = Router(tags=["sessions"])


@router.get("", response={200: SessionList, **REFUSALS})
def list_sessions(request: ApiRequest, asked: Query[SessionListing]) -> dict[str, object]:
    """The Sessions in which you take part, newest activity first."""
    before, before_id = asked.place()
    found = sessions.listing(
        user=request.auth.user,
        search=asked.search.strip(),
        before=before,
        before_id=before_id,
        limit=asked.limit + 1,
    )
    shown = found[: asked.limit]
    return {"sessions": shown, "next": _cursor(shown[-1]) if len(found) > asked.limit else None}


@router.post("", response={201: SessionShown, **REFUSALS})
def create_session(request: ApiRequest, new: NewSession, key: IdempotencyKey = None) -> Status[Listed]:
    """Makes a Session that you own."""
    made = sessions.create(
        by=request.auth,
        title=new.title,
        agent=new.agent,
        policy=new.policy,
        client_id=ClientId(key) if key else None,
    )
    return Status(201, sessions.get(made, user=request.auth.user))


@router.get("/{session}", response={200: SessionShown, **REFUSALS})
def show_session(request: ApiRequest, session: SessionId) -> Listed:
    """One Session."""
    return sessions.get(session, user=request.auth.user)


@router.patch("/{session}", response={200: SessionShown, **REFUSALS})
def change_session(request: ApiRequest, session: SessionId, change: SessionChange) -> Listed:
    """Renames, configures, archives or restores a Session; what is absent stays as it is."""
    before = sessions.get(session, user=request.auth.user)
    _apply(change, before, by=request.auth)
    return sessions.get(session, user=request.auth.user)


@router.delete("/{session}", response={204: None, **REFUSALS})
def delete_session(request: ApiRequest, session: SessionId) -> HttpResponse:
    """Deletes a Session with all that was said in it, for everybody. Only its owner may."""
    sessions.delete(session, by=request.auth)
    return HttpResponse(status=204)


def _apply(change: SessionChange, before: Listed, *, by: Author) -> None:
    """Restoring comes first and archiving last, because an archived Session takes no other change."""
    if change.archived is False and before.archived_at is not None:
        sessions.restore(before.id, by=by)
    if change.agent is not None or change.policy is not None:
        sessions.configure(before.id, by=by, agent=change.agent, policy=change.policy)
    if change.title is not None:
        sessions.rename(before.id, by=by, title=change.title)
    if change.archived is True and before.archived_at is None:
        sessions.archive(before.id, by=by)


def _cursor(last: Listed) -> str:
    """To the microsecond, as the database compares it; a Z, because a + in an address is a blank."""
    moment = last.active_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return f"{moment}_{last.id}"
