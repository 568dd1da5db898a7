"""Sweeps over the Runs of all workers. Every worker does it, so that no single process is needed for P8."""

import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from sessions_core import log
from sessions_core.models import Run, Session
from sessions_core.protocol import run_states
from sessions_core.protocol.events import SYSTEM, RunCancelled, RunFailed, RunInterrupted
from sessions_core.protocol.ids import RunId, SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.services import dispatch, failures, workers
from sessions_core.services.runs.attempt import ATTEMPTS, RESUMABLE, STARTABLE
from sessions_core.services.runs.end import end_run
from sessions_core.services.runs.turn import is_still_its_turn

logger = logging.getLogger(__name__)

WAKE_AGAIN: Final = timedelta(seconds=1.5)  # until a wake counts as lost; the next sweep, within a second, repeats it
COMPACT_BATCH: Final = 50  # Runs in one transaction
NO_SUCH_AGENT: Final = RunFailed(
    code="no_such_agent", message="The agent that was asked is not installed here.", retry=False
)
UNKNOWN_AFTER: Final = timedelta(seconds=60)  # until a Run ends whose agent no worker has: a worker may be restarting
SWEEP_BATCH: Final = 200  # Runs in one sweep
TURNS_LOOKED_AT: Final = 100  # Runs before one that waits, of which one may have ended just now

# Each of the two has an index of its own, so that Runs which wait cost a sweep nothing before their time.
_UNPARKED: Final = run_states.sql([RunState.REQUESTED, RunState.RUNNING])
_STARTABLE: Final = f"run.ended_at IS NULL AND run.state IN ({_UNPARKED}) AND {STARTABLE}"
_CLAIMABLE: Final = f"""(
    SELECT id, agent, requested_at AS since, woken_at < now() - %(again)s
           OR (state = '{RunState.RUNNING}' AND woken_at < lease_until) AS due FROM run WHERE {_STARTABLE}
    UNION ALL
    SELECT id, agent, resume_at, woken_at < now() - %(again)s OR woken_at < resume_at FROM run WHERE {RESUMABLE})
"""  # `due`: the last wake was sent long ago, or before the lease lapsed or the wait was over
_WAITING: Final = f"SELECT agent, count(*), bool_or(due) FROM {_CLAIMABLE} claimable GROUP BY agent"
_WAKE: Final = f"""
    WITH due AS MATERIALIZED (
        SELECT id FROM {_CLAIMABLE} claimable WHERE due AND agent = ANY(%(agents)s) ORDER BY since LIMIT %(limit)s)
    UPDATE run SET woken_at = now()
    FROM (SELECT run.id FROM due JOIN run ON run.id = due.id FOR NO KEY UPDATE OF run SKIP LOCKED) free
    WHERE run.id = free.id RETURNING run.session_id, run.id, run.agent
"""
_LONG_WAIT: Final = f"""
    SELECT 1 FROM run WHERE {_STARTABLE}
    AND requested_at < now() - %(time)s AND (lease_until IS NULL OR lease_until < now() - %(time)s)
    AND NOT EXISTS (SELECT 1 FROM (
        SELECT ended_at FROM run before WHERE before.session_id = run.session_id AND before.asked_seq < run.asked_seq
        ORDER BY before.asked_seq DESC LIMIT {TURNS_LOOKED_AT}) before WHERE before.ended_at > now() - %(time)s)
    UNION ALL SELECT 1 FROM run WHERE {RESUMABLE} AND resume_at < now() - %(time)s
    LIMIT 1
"""
_OF_UNKNOWN: Final = f"""
    SELECT run.* FROM run WHERE run.agent = %(agent)s AND run.ended_at IS NULL
    AND (({_STARTABLE} AND coalesce(run.lease_until, run.requested_at) < now() - %(time)s)
         OR ({RESUMABLE} AND run.resume_at < now() - %(time)s))
"""


def end_lapsed() -> None:
    """Ends the Runs that no worker will end: their lease lapsed, and they were cancelled or have no attempt left."""
    lapsed = Q(state=RunState.RUNNING, ended_at=None, lease_until__lt=Now())  # `ended_at`: for its index
    for run_id in Run.objects.filter(lapsed).values_list("pk", flat=True)[:SWEEP_BATCH]:
        try:
            _end_lapsed(RunId(run_id))
        except Exception as error:  # an error in one Run must not keep the sweep from the others
            if failures.is_outage(error):
                raise
            logger.exception("The Run %s, whose lease has lapsed, cannot be ended.", run_id)


def wake_waiting(*, own_agents: Collection[str]) -> None:
    """Wakes workers for the Runs that can be claimed and whose wake may have been lost. Ends the Runs whose agent no worker has.
    `own_agents` are the agents of the calling worker.

    A queue gets no more wakes than it has Runs that wait: without a worker, they would pile up without bound.
    """
    known = workers.known_agents() | set(own_agents)
    waiting: dict[str, int] = defaultdict(int)  # Runs by queue
    due: dict[str, list[str]] = defaultdict(list)  # agents by queue
    for agent, count, is_due in _fetch_all(_WAITING):
        if agent not in known:
            _end_unknown(agent)
            continue
        queue = dispatch.dispatcher().queue(agent)
        waiting[queue] += count
        if is_due:
            due[queue].append(agent)
    for queue, agents in due.items():
        _wake(queue, agents, waiting=waiting[queue])


def waits_longer_than(time: timedelta) -> bool:
    """Returns whether a Run that could be claimed has waited longer than `time`."""
    return bool(_fetch_all(_LONG_WAIT, time=time))


def _wake(queue: str, agents: Sequence[str], *, waiting: int) -> None:
    queued = dispatch.dispatcher().queued(queue)
    if queued is None or queued >= waiting:  # None: the broker is away
        return
    for session, run, agent in _fetch_all(_WAKE, agents=agents, limit=min(waiting - queued, SWEEP_BATCH)):
        dispatch.dispatcher().wake(SessionId(session), RunId(run), agent)


def _end_unknown(agent: str) -> None:
    """Ends the Runs of an agent that no worker has had for UNKNOWN_AFTER, while another worker was alive to see it: the agent was
    removed by an upgrade, or its file fails to import.
    """
    if not workers.is_missing(agent, since=UNKNOWN_AFTER):
        return
    arguments = {"agent": agent, "time": UNKNOWN_AFTER, "attempts": ATTEMPTS}
    for found in list(Run.objects.raw(f"{_OF_UNKNOWN} LIMIT {SWEEP_BATCH}", arguments)):
        with transaction.atomic(durable=True):
            locked = f"{_OF_UNKNOWN} AND run.id = %(run)s FOR NO KEY UPDATE OF run SKIP LOCKED"
            run = next(iter(Run.objects.raw(locked, arguments | {"run": found.pk})), None)
            if run is not None and (not run.queued or _is_its_turn(run)):
                end_run(run, NO_SUCH_AGENT, actor=SYSTEM)


def _is_its_turn(run: Run) -> bool:
    Session.objects.select_for_update(no_key=True).get(pk=run.session_id)
    return is_still_its_turn(SessionId(run.session_id), RunId(run.pk))


def _fetch_all(statement: str, **arguments: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401  # what SQL takes
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments | {"again": WAKE_AGAIN, "attempts": ATTEMPTS})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


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
