"""Who may. Absent and not yours are one answer, NotFound, found by one and the same query (P12)."""

from typing import Final

from django.contrib.auth.models import User
from django.db import connection
from msgspec import Struct

from sessions_core.models import Participant
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import Forbidden, NotFound, ReadOnly
from sessions_core.protocol.events import Role
from sessions_core.protocol.ids import SessionId, UserId

# Plain SQL: every subscription and every post asks this, and building the query took five times as long as asking it.
_MEMBER: Final = """
    SELECT p.role, s.archived_at FROM participant p JOIN session s ON s.id = p.session_id
    WHERE p.session_id = %s AND p.user_id = %s
"""


def author(user: User) -> Author:
    """Returns the user as the engine knows people."""
    return Author(user=UserId(user.pk), name=user.get_full_name() or user.get_username())


class Member(Struct, frozen=True):
    """A user's standing in one Session."""

    session: SessionId
    user: UserId
    role: Role
    archived: bool


def member(session_id: SessionId, *, user: UserId) -> Member:
    """The user's standing. Raises NotFound."""
    with connection.cursor() as cursor:
        cursor.execute(_MEMBER, [session_id, user])
        row = cursor.fetchone()
    if row is None:
        raise NotFound("There is no such conversation.")
    role, archived_at = row
    return Member(session=session_id, user=user, role=role, archived=archived_at is not None)


def editor(session_id: SessionId, *, user: UserId) -> Member:
    """The standing of one who is more than a viewer. Raises NotFound, ReadOnly."""
    found = member(session_id, user=user)
    if found.role == "viewer":
        raise ReadOnly("You can read this conversation, but not write in it.")
    return found


def writer(session_id: SessionId, *, user: UserId) -> Member:
    """The standing of an editor in a Session that is not archived. Raises NotFound, ReadOnly."""
    found = editor(session_id, user=user)
    if found.archived:
        raise ReadOnly("This conversation is archived. Restore it to go on.")
    return found


def owner(session_id: SessionId, *, user: UserId) -> Member:
    """The owner's standing. Raises NotFound, or Forbidden for other participants."""
    found = member(session_id, user=user)
    if found.role != "owner":
        raise Forbidden("Only the owner of a conversation may do that.")
    return found


def memberships(pairs: set[tuple[SessionId, UserId]]) -> set[tuple[SessionId, UserId]]:
    """Those of the pairs that still are memberships, in one query."""
    sessions = {session for session, _ in pairs}
    users = {user for _, user in pairs}
    rows = Participant.objects.filter(session_id__in=sessions, user_id__in=users).values_list("session_id", "user_id")
    return {(SessionId(session), UserId(user)) for session, user in rows} & pairs
