"""Sweeps over the Runs of all workers. Every worker does it, so that no single process is needed for P8."""

from datetime import timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from sessions_core import log
from sessions_core.models import Run
from sessions_core.protocol.events import SYSTEM, RunCancelled, RunInterrupted
from sessions_core.protocol.ids import RunId, SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.services import dispatch
from sessions_core.services.runs.attempt import ATTEMPTS, CLAIMABLE, ITS_TURN
from sessions_core.services.runs.end import end_run

WAKE_AGAIN: Final = timedelta(seconds=3)  # until a wake counts as lost
COMPACT_BATCH: Final = 50  # Runs in one transaction
_WAKE: Final = f"""
    UPDATE run SET woken_at = now() WHERE id IN (
        SELECT id FROM run WHERE ended_at IS NULL AND {CLAIMABLE} AND {ITS_TURN} AND attempt - handed_back < %(attempts)s
        AND (woken_at < now() - %(again)s OR state = '{RunState.RUNNING}' AND woken_at < lease_until)
        ORDER BY requested_at LIMIT 200 FOR NO KEY UPDATE SKIP LOCKED
    ) RETURNING id, agent
"""


def end_lapsed() -> None:
    """Ends the Runs that no worker will end: their lease lapsed, and they were cancelled or have no attempt left."""
    lapsed = Q(state=RunState.RUNNING, lease_until__lt=Now())
    for run_id in Run.objects.filter(lapsed).values_list("pk", flat=True)[:200]:
        _end_lapsed(RunId(run_id))


def wake_waiting() -> None:
    """Wakes workers for the Runs that can be claimed and whose wake may have been lost."""
    with connection.cursor() as cursor:
        arguments: dict[str, Any] = {"again": WAKE_AGAIN, "attempts": ATTEMPTS}
        cursor.execute(_WAKE, arguments)
        woken = cursor.fetchall()
    for run, agent in woken:
        dispatch.dispatcher().wake(RunId(run), agent)


def compact(*, delay: timedelta) -> int:
    """Deletes the deltas of up to COMPACT_BATCH Runs that ended longer than `delay` ago, and returns the number of Runs. May run
    in several processes at once.
    """
    with transaction.atomic(durable=True):
        due = Run.objects.select_for_update(skip_locked=True, no_key=True).filter(
            ended_at__lt=Now() - delay, compacted_at=None
        )
        runs = list(due.order_by("ended_at").values_list("session_id", "pk", "asked_seq")[:COMPACT_BATCH])
        for session, run, asked in runs:
            log.compact(SessionId(session), RunId(run), after=asked)
        return Run.objects.filter(pk__in=[run for _, run, _ in runs]).update(compacted_at=Now())


def _end_lapsed(run_id: RunId) -> None:
    with transaction.atomic(durable=True):
        lapsed = Run.objects.select_for_update(skip_locked=True).filter(
            pk=run_id, state=RunState.RUNNING, lease_until__lt=Now()
        )
        run = lapsed.first()
        if run is None:
            return
        if run.cancel_requested_at:
            end_run(run, RunCancelled(), actor=SYSTEM)
        elif run.attempt - run.handed_back >= ATTEMPTS:
            reason = f"It was started {ATTEMPTS} times, and each time the worker stopped answering."
            end_run(run, RunInterrupted(reason=reason), actor=SYSTEM)
