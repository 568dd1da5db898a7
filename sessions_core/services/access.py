"""Checks what a user may do in a Session. An absent Session and one of other people give the same NotFound from the same query,
so that neither the response nor its time reveals which it is (P12).

A command that writes calls `begin` or `begin_once` first in its transaction. What was checked before the lock may be false after
it: the Session was archived meanwhile, or the user removed.
"""

from collections.abc import Collection
from enum import Enum
from typing import Final, TypeVar, assert_never, cast

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Exists, OuterRef, Q
from msgspec import Struct

from sessions_core import log
from sessions_core.models import Event, Participant, Session
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import Forbidden, NotFound, ReadOnly
from sessions_core.protocol.events import Fact, Role
from sessions_core.protocol.ids import ClientId, SessionId, UserId

NO_SESSION: Final = "There is no such conversation."
ARCHIVED: Final = "This conversation is archived. Restore it to go on."
F = TypeVar("F", bound=Fact)
# Plain SQL, because every subscription runs it: Django took five times as long to build it as to execute it.
_MEMBER: Final = """
    SELECT p.role, s.archived_at FROM participant p JOIN session s ON s.id = p.session_id
    WHERE p.session_id = %s AND p.user_id = %s
"""
# Both arrays are as long as there are readers; the answer is as long as there are rights that were taken away.
_ENDED: Final = """
    SELECT session, member FROM unnest(%s::uuid[], %s::bigint[]) AS asked(session, member)
    WHERE NOT EXISTS (SELECT FROM participant p WHERE p.session_id = session AND p.user_id = member)
"""


def author(user: User) -> Author:
    """Returns the user as the services know people."""
    return Author(user=UserId(user.pk), name=user.get_full_name() or user.get_username())


class Right(Enum):
    """What a command needs. Stopping is EDIT: what goes on in an archived Session can be stopped."""

    TAKE_PART = "everybody who takes part, in a Session that is not archived"
    EDIT = "an owner or an editor"
    WRITE = "the same, in a Session that is not archived"
    OWN = "the owner"


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
        raise NotFound(NO_SESSION)
    role, archived_at = row
    return Member(session=session_id, user=user, role=role, archived=archived_at is not None)


def require(session_id: SessionId, *, user: UserId, right: Right) -> Member:
    """Returns the membership of a user who has the right. Raises NotFound, ReadOnly, Forbidden. A command that writes uses
    `begin` instead: what is true here may be false when the command has the lock.
    """
    found = member(session_id, user=user)
    _check(right, found.role, archived=found.archived)
    return found


def begin(session_id: SessionId, *, by: Author, right: Right) -> Session:
    """Begins a command: locks the Session's row, so that nobody else changes it until the commit, then checks the right. Raises
    NotFound, ReadOnly, Forbidden.
    """
    session = _lock(session_id, _takes_part(by))
    _check_locked(session, by, right)
    return session


def begin_once(
    session_id: SessionId, *, by: Author, right: Right, client_id: ClientId, kind: type[F]
) -> tuple[Session, tuple[int, F] | None]:
    """Begins a command that is carried out once. Returns the locked Session, and the seq and fact of the first time if `by` has
    given the command before: that is its answer, also for somebody who has lost the right since (P5).
    """
    session = _lock(session_id, _takes_part(by) | _has_given(by, client_id))
    first = log.find_command(session_id, client_id, kind, by=by.user)
    if first is None:
        _check_locked(session, by, right)
    return session, first


def check_known(session_id: SessionId, *, by: Author, client_id: ClientId) -> None:
    """Raises NotFound unless `by` takes part in the Session or has given this command in it. For a command that locks other rows
    before the Session's: a stranger must not.
    """
    if not Session.objects.filter(_takes_part(by) | _has_given(by, client_id), pk=session_id, deleted_at=None).exists():
        raise NotFound(NO_SESSION)


def ended(pairs: Collection[tuple[SessionId, UserId]]) -> set[tuple[SessionId, UserId]]:
    """Returns the pairs that are no memberships, in one query. Every web process asks once a second for all who read there."""
    with connection.cursor() as cursor:
        cursor.execute(_ENDED, [[session for session, _ in pairs], [user for _, user in pairs]])
        return {(SessionId(session), UserId(user)) for session, user in cursor.fetchall()}


def _lock(session_id: SessionId, known: Q) -> Session:
    """Locks the row of a Session that the user knows: a stranger can neither wait for a lock nor hold one."""
    session = Session.objects.select_for_update().filter(known, pk=session_id, deleted_at=None).first()
    if session is None:
        raise NotFound(NO_SESSION)
    return session


def _check_locked(session: Session, by: Author, right: Right) -> None:
    """Reads the role by a statement of its own: the one that waited for the lock has seen the database as it was before."""
    role = Participant.objects.filter(session_id=session.pk, user_id=by.user).values_list("role", flat=True).first()
    if role is None:
        raise NotFound(NO_SESSION)
    _check(right, cast("Role", role), archived=session.archived_at is not None)


def _check(right: Right, role: Role, *, archived: bool) -> None:
    match right:
        case Right.OWN:
            if role != "owner":
                raise Forbidden("Only the owner of a conversation may do that.")
        case Right.TAKE_PART:
            if archived:
                raise ReadOnly(ARCHIVED)
        case Right.EDIT | Right.WRITE:
            if role == "viewer":
                raise ReadOnly("You can read this conversation, but not write in it.")
            if archived and right is Right.WRITE:
                raise ReadOnly(ARCHIVED)
        case _:
            assert_never(right)


def _takes_part(by: Author) -> Q:
    return Q(Exists(Participant.objects.filter(session_id=OuterRef("pk"), user_id=by.user)))


def _has_given(by: Author, client_id: ClientId) -> Q:
    own = Event.objects.filter(actor_kind="user", actor_id=str(by.user))
    return Q(Exists(own.filter(session_id=OuterRef("pk"), client_id=client_id)))
