"""Sweeps over the Runs of all workers. Every worker does it, so that no single process is needed for P8."""

import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from sessions_core import log
from sessions_core.models import Run
from sessions_core.protocol.events import SYSTEM, RunCancelled, RunFailed, RunInterrupted
from sessions_core.protocol.ids import RunId, SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.services import dispatch, workers
from sessions_core.services.runs.attempt import ATTEMPTS, CLAIMABLE, ITS_TURN
from sessions_core.services.runs.end import end_run

logger = logging.getLogger(__name__)

WAKE_AGAIN: Final = timedelta(seconds=3)  # until a wake counts as lost
COMPACT_BATCH: Final = 50  # Runs in one transaction
NO_SUCH_AGENT: Final = RunFailed(
    code="no_such_agent", message="The agent that was asked is not installed here.", retry=False
)
UNKNOWN_AFTER: Final = timedelta(seconds=60)  # until a Run ends whose agent no worker has: a worker may be restarting
SWEEP_BATCH: Final = 200  # Runs in one sweep

# The Runs that can be claimed, the oldest first. `due`: the last wake was sent long ago, or before the lease lapsed.
_WAITING: Final = f"""
    SELECT id, agent, requested_at < now() - %(unknown)s AS old,
           woken_at < now() - %(again)s OR (state = '{RunState.RUNNING}' AND woken_at < lease_until) AS due
    FROM run WHERE ended_at IS NULL AND {CLAIMABLE} AND {ITS_TURN} AND attempt - handed_back < %(attempts)s
    ORDER BY requested_at LIMIT %(limit)s
"""
_LONG_WAIT: Final = f"""
    SELECT 1 FROM run WHERE ended_at IS NULL AND {CLAIMABLE} AND {ITS_TURN} AND attempt - handed_back < %(attempts)s
    AND requested_at < now() - %(time)s AND (lease_until IS NULL OR lease_until < now() - %(time)s) LIMIT 1
"""
_WOKEN: Final = "UPDATE run SET woken_at = now() WHERE id = ANY(%s) AND ended_at IS NULL"


class _Waiting(NamedTuple):
    run: RunId
    agent: str
    old: bool
    due: bool


def end_lapsed() -> None:
    """Ends the Runs that no worker will end: their lease lapsed, and they were cancelled or have no attempt left."""
    lapsed = Q(state=RunState.RUNNING, lease_until__lt=Now())
    for run_id in Run.objects.filter(lapsed).values_list("pk", flat=True)[:SWEEP_BATCH]:
        try:
            _end_lapsed(RunId(run_id))
        except (InterfaceError, OperationalError):
            raise
        except Exception:  # an error in one Run must not keep the sweep from the others
            logger.exception("The Run %s, whose lease has lapsed, cannot be ended.", run_id)


def wake_waiting(*, own_agents: Collection[str]) -> None:
    """Wakes workers for the Runs that can be claimed and whose wake may have been lost. Ends the Runs whose agent no worker has.
    `own_agents` are the agents of the calling worker.

    A queue gets no more wakes than it has Runs that wait: without a worker, they would pile up without bound.
    """
    arguments: dict[str, Any] = {
        "again": WAKE_AGAIN,
        "attempts": ATTEMPTS,
        "unknown": UNKNOWN_AFTER,
        "limit": SWEEP_BATCH,
    }
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, arguments)
        waiting = [_Waiting(RunId(run), agent, old, due) for run, agent, old, due in cursor.fetchall()]
    if not any(one.due for one in waiting):
        return
    known = workers.known_agents() | set(own_agents)
    for agent in {one.agent for one in waiting if one.old} - known:
        _end_unknown([one.run for one in waiting if one.old and one.agent == agent])
    by_queue: dict[str, list[_Waiting]] = defaultdict(list)
    for one in waiting:
        if one.agent in known:
            by_queue[dispatch.dispatcher().queue(one.agent)].append(one)
    for queue, runs in by_queue.items():
        _wake(queue, runs)


def waits_longer_than(time: timedelta) -> bool:
    """Returns whether a Run that could be claimed has waited longer than `time`."""
    arguments: dict[str, Any] = {"time": time, "attempts": ATTEMPTS}
    with connection.cursor() as cursor:
        cursor.execute(_LONG_WAIT, arguments)
        return cursor.fetchone() is not None


def _wake(queue: str, waiting: Sequence[_Waiting]) -> None:
    queued = dispatch.dispatcher().queued(queue)
    if queued is None:
        return  # the broker is away
    woken = [one for one in waiting if one.due][: max(0, len(waiting) - queued)]
    with connection.cursor() as cursor:
        cursor.execute(_WOKEN, [[one.run for one in woken]])
    for one in woken:
        dispatch.dispatcher().wake(one.run, one.agent)


def _end_unknown(runs: Sequence[RunId]) -> None:
    """Ends the Runs. Their agent was removed by an upgrade, or its file fails to import."""
    for run_id in runs:
        with transaction.atomic(durable=True):
            waiting = Run.objects.select_for_update(skip_locked=True).filter(pk=run_id, state=RunState.REQUESTED)
            if (run := waiting.first()) is not None:
                end_run(run, NO_SUCH_AGENT, actor=SYSTEM)


def compact(*, delay: timedelta) -> int:
    """Deletes the deltas of up to COMPACT_BATCH Runs that ended longer than `delay` ago, and returns the number of Runs. May run
    in several processes at once.
    """
    with transaction.atomic(durable=True):
        due = Run.objects.select_for_update(skip_locked=True, no_key=True).filter(
            ended_at__lt=Now() - delay, compacted_at=None
        )
        runs = list(due.order_by("ended_at").values_list("session_id", "pk", "asked_seq")[:COMPACT_BATCH])
        for session, run, requested_at_seq in runs:
            log.compact(SessionId(session), RunId(run), after=requested_at_seq)
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
