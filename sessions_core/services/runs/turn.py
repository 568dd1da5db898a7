"""Whose turn it is: the answers of a Session come one after the other (docs/topics/runs.md › Turns)."""

from typing import Final

from django.db.models import Q, QuerySet

from sessions_core.models import Run, Session
from sessions_core.protocol.ids import MessageId, RunId, SessionId
from sessions_core.protocol.run_states import RunState

# What a Run waits for without giving its turn away.
KEEPS_TURN: Final = ("ask", "children")

_BEFORE_IT: Final = f"""
    SELECT 1 FROM run other
    WHERE other.session_id = run.session_id AND other.id <> run.id AND other.parent_id IS NULL AND other.ended_at IS NULL
    AND (other.state = '{RunState.RUNNING}'
         OR (other.state = '{RunState.WAITING}' AND other.waits_on IN ({", ".join(f"'{on}'" for on in KEEPS_TURN)}))
         OR (other.state = '{RunState.REQUESTED}'
             AND (other.queued < run.queued OR (other.queued = run.queued AND other.asked_seq < run.asked_seq))))
"""
# Of a requested Run. One that was begun before keeps its turn, and one with a parent needs none.
ITS_TURN: Final = f"""
    (run.state <> '{RunState.REQUESTED}' OR run.parent_id IS NOT NULL OR (
        NOT EXISTS ({_BEFORE_IT})
        AND NOT (run.queued AND (SELECT queue_paused_seq FROM session WHERE id = run.session_id) IS NOT NULL)))
"""


def holding(session_id: SessionId) -> QuerySet[Run]:
    """Returns the Runs of the Session that hold the turn: they work, wait without giving it away, or are next without waiting in
    the queue.
    """
    keeps = Q(state=RunState.RUNNING) | Q(state=RunState.WAITING, waits_on__in=KEEPS_TURN)
    runs = Run.objects.filter(session_id=session_id, parent=None, ended_at=None)
    return runs.filter(keeps | Q(state=RunState.REQUESTED, queued=False))


def holds(run: Run) -> bool:
    """Returns whether the Run, as its row was read, holds the turn."""
    if run.parent_id is not None:
        return False
    match run.state:
        case RunState.RUNNING:
            return True
        case RunState.WAITING:
            return run.waits_on in KEEPS_TURN
        case RunState.REQUESTED:
            return not run.queued
        case _:
            return False


def is_still_its_turn(session_id: SessionId, run_id: RunId) -> bool:
    """Returns whether a queued Run that is being claimed may begin. A Message may have gone ahead of it, or the queue been
    paused, since its claim began to wait for the Run's row: the claim has read the other rows before that.

    The caller has locked the Session's row: who goes ahead or pauses does so under this lock.
    """
    is_paused = Session.objects.filter(pk=session_id, queue_paused_seq__isnull=False).exists()
    return not is_paused and not holding(session_id).exclude(pk=run_id).exists()


def holds_turn(session_id: SessionId) -> bool:
    """Returns whether a Run of the Session holds the turn."""
    return holding(session_id).exists()


def is_being_answered(session_id: SessionId, message: MessageId) -> bool:
    """Returns whether the Run that holds the turn answers the Message."""
    return holding(session_id).filter(replies_to=message).exists()
