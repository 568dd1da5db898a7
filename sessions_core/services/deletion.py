"""Deletes Sessions: hides one at once, for everybody, and removes its rows later, in pieces.

A Session may have a million Events. Nobody should wait for them, neither who deletes it nor who writes beside it. What is left
to remove is in the Session's row, `deleted_at`, so that any worker goes on where one was killed.
"""

from functools import partial
from typing import Final

from django.db import connection, transaction
from django.db.models.functions import Now

from sessions_core import hints
from sessions_core.models import Participant, Run, Session
from sessions_core.protocol import run_states
from sessions_core.protocol.author import Author
from sessions_core.protocol.ids import RunId, SessionId, UserId
from sessions_core.services import access
from sessions_core.services.access import Right

# What belongs to a Session beside its Events, what refers to other rows first.
_TABLES: Final = ("step", "blob", "ask", "signal", "queued_message", "steer", "needless_stop", "consent", "agent_state")
PIECE: Final = 2_000  # rows of one transaction: about 50 ms

_REMOVE_EVENTS: Final = """
    DELETE FROM event WHERE session_id = %(session)s AND seq <= (
        SELECT max(seq) FROM (SELECT seq FROM event WHERE session_id = %(session)s ORDER BY seq LIMIT %(rows)s) first)
"""
_REMOVE_ROWS: Final = """
    DELETE FROM {table} WHERE ctid IN (SELECT ctid FROM {table} WHERE session_id = %(session)s LIMIT %(rows)s)
"""
# The newest first: a Run is newer than its parent, and the foreign key lets no parent go before.
_REMOVE_RUNS: Final = """
    DELETE FROM run WHERE id IN (
        SELECT id FROM run WHERE session_id = %(session)s ORDER BY asked_seq DESC LIMIT %(rows)s)
"""


def delete(session_id: SessionId, *, by: Author) -> None:
    """Deletes the Session with its log, for all participants. Raises NotFound, Forbidden."""
    access.require(session_id, user=by.user, right=Right.OWN)  # who has no right locks nothing
    while not _try_to_hide(session_id, by=by):
        pass


def delete_by_staff(session_id: SessionId) -> None:
    """Deletes the Session with its log, without checking membership."""
    while not _try_to_hide(session_id, by=None):
        pass


def _try_to_hide(session_id: SessionId, *, by: Author | None) -> bool:
    """Returns False, and changes nothing, when a Run was requested meanwhile. `by`: the user who needs the right to it."""
    with transaction.atomic(durable=True):
        # Runs before the Session: that is the lock order. Workers that still write for one of them are fenced out.
        active = Run.objects.filter(session_id=session_id, state__in=run_states.ACTIVE)
        stopped = [RunId(run) for run in active.values_list("pk", flat=True)]
        active.delete()
        session = Session.objects.filter(pk=session_id, deleted_at=None)
        if by is None:
            session.select_for_update().first()
        else:
            access.begin(session_id, by=by, right=Right.OWN)
        if active.exists():
            transaction.set_rollback(True)
            return False
        participants = Participant.objects.filter(session_id=session_id)
        users = list(participants.values_list("user_id", flat=True))
        participants.delete()
        session.update(deleted_at=Now())
        for user in users:
            transaction.on_commit(partial(hints.signal_access, UserId(user), session_id), robust=True)
        transaction.on_commit(partial(hints.signal_cancel, stopped), robust=True)
    return True


def remove_piece(*, rows: int = PIECE) -> bool:
    """Removes up to so many rows of a deleted Session that no other process is at. Returns False when there was none."""
    with transaction.atomic(durable=True):
        deleted = Session.objects.filter(deleted_at__isnull=False).order_by("deleted_at")
        session = deleted.select_for_update(skip_locked=True).first()
        if session is None:
            return False
        tables = (_REMOVE_ROWS.format(table=table) for table in _TABLES)
        if not any(_remove(statement, session, rows) for statement in (_REMOVE_EVENTS, *tables, _REMOVE_RUNS)):
            session.delete()
        return True


def _remove(statement: str, session: Session, rows: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"session": session.pk, "rows": rows})
        return int(cursor.rowcount)
