"""Whose turn it is: the answers of a Session come one after the other (docs/topics/runs.md › Turns)."""

from typing import Final

from django.db.models import Q, QuerySet

from sessions_core.models import Run
from sessions_core.protocol.ids import SessionId
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


def holds_turn(session_id: SessionId) -> bool:
    """Returns whether a Run of the Session holds the turn."""
    return holding(session_id).exists()
