"""Checks what a user may do in a Session. An absent Session and one of other people give the same NotFound from the same query,
so that neither the response nor its time reveals which it is (P12).
"""

from typing import Final

from django.contrib.auth.models import User
from django.db import connection
from msgspec import Struct

from sessions_core.models import Participant
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import Forbidden, NotFound, ReadOnly
from sessions_core.protocol.events import Role
from sessions_core.protocol.ids import SessionId, UserId

# Plain SQL, because every subscription and every post runs it: Django took five times as long to build it as to execute it.
_MEMBER: Final = """
    SELECT p.role, s.archived_at FROM participant p JOIN session s ON s.id = p.session_id
    WHERE p.session_id = %s AND p.user_id = %s
"""


def author(user: User) -> Author:
    """Returns the user as the services know people."""
    return Author(user=UserId(user.pk), name=user.get_full_name() or user.get_username())


class Member(Struct, frozen=True):
    """The role of one user in one Session, and whether the Session is archived."""

    session: SessionId
    user: UserId
    role: Role
    archived: bool


def member(session_id: SessionId, *, user: UserId) -> Member:
    """Returns the user's membership. Raises NotFound."""
    with connection.cursor() as cursor:
        cursor.execute(_MEMBER, [session_id, user])
        row = cursor.fetchone()
    if row is None:
        raise NotFound("There is no such conversation.")
    role, archived_at = row
    return Member(session=session_id, user=user, role=role, archived=archived_at is not None)


def editor(session_id: SessionId, *, user: UserId) -> Member:
    """Returns the membership of an owner or an editor. Raises NotFound, ReadOnly."""
    found = member(session_id, user=user)
    if found.role == "viewer":
        raise ReadOnly("You can read this conversation, but not write in it.")
    return found


def writer(session_id: SessionId, *, user: UserId) -> Member:
    """Returns the membership of an owner or an editor in a Session that is not archived. Raises NotFound, ReadOnly."""
    found = editor(session_id, user=user)
    if found.archived:
        raise ReadOnly("This conversation is archived. Restore it to go on.")
    return found


def owner(session_id: SessionId, *, user: UserId) -> Member:
    """Returns the owner's membership. Raises NotFound, and Forbidden for other participants."""
    found = member(session_id, user=user)
    if found.role != "owner":
        raise Forbidden("Only the owner of a conversation may do that.")
    return found


def memberships(pairs: set[tuple[SessionId, UserId]]) -> set[tuple[SessionId, UserId]]:
    """Returns the pairs that are memberships, in one query."""
    sessions = {session for session, _ in pairs}
    users = {user for _, user in pairs}
    rows = Participant.objects.filter(session_id__in=sessions, user_id__in=users).values_list("session_id", "user_id")
    return {(SessionId(session), UserId(user)) for session, user in rows} & pairs
