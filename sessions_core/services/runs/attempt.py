"""A worker claims a Run, renews its lease, and hands it back."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

import msgspec
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from msgspec import Struct

from sessions_core import log
from sessions_core.models import Run
from sessions_core.protocol import run_states
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import SYSTEM, Actor, Fact, RunFailed, RunRestarted, RunResumed, RunStarted
from sessions_core.protocol.ids import RunId
from sessions_core.protocol.run_states import RunState
from sessions_core.services import dispatch, failures
from sessions_core.services.runs import queue
from sessions_core.services.runs.end import end_run
from sessions_core.services.runs.turn import ITS_TURN

logger = logging.getLogger(__name__)

LEASE_S: Final = 6  # after the last heartbeat of a killed worker, another worker may claim the Run
HEARTBEAT_S: Final = 1  # six heartbeats a lease: one slow query loses no Run
ATTEMPTS: Final = 3  # a Run that kills its workers then ends interrupted
HAND_BACKS: Final = 20  # of one Run that cost no attempt; a Run that always breaks off its connection would never end

_LAPSED: Final = f"run.state = '{RunState.RUNNING}' AND run.lease_until < now()"
# A new attempt begins.
STARTABLE: Final = f"""
    run.cancel_requested_at IS NULL AND (run.state = '{RunState.REQUESTED}' OR ({_LAPSED}))
    AND run.attempt - run.handed_back < %(attempts)s AND {ITS_TURN}
"""
# The same attempt goes on.
RESUMABLE: Final = f"run.cancel_requested_at IS NULL AND run.state = '{RunState.WAITING}' AND run.resume_at <= now()"
_CLAIM: Final = f"""
    UPDATE run SET state = '{RunState.RUNNING}', fence = run.fence + 1, worker = %(worker)s,
           attempt = run.attempt + CASE before.state WHEN '{RunState.WAITING}' THEN 0 ELSE 1 END,
           lease_until = now() + %(lease)s, started_at = coalesce(run.started_at, now()),
           queued = false, waits_on = '', waiting = NULL, resume_at = NULL
    FROM (SELECT id, state, queued, waiting FROM run WHERE id = %(run)s AND ({STARTABLE} OR {RESUMABLE}) FOR NO KEY UPDATE) before
    WHERE run.id = before.id
    RETURNING run.session_id, run.agent, run.fence, run.attempt, run.replies_to, run.attempt_seq,
              before.queued, before.waiting::text
"""
_HEARTBEAT: Final = f"""
    UPDATE run SET lease_until = now() + %(lease)s FROM (
        SELECT run.id FROM run JOIN unnest(%(runs)s::uuid[], %(fences)s::bigint[]) AS held(id, fence)
          ON run.id = held.id AND run.fence = held.fence
        WHERE run.state = '{RunState.RUNNING}' ORDER BY run.id FOR NO KEY UPDATE OF run
    ) live WHERE run.id = live.id RETURNING run.id, run.cancel_requested_at IS NOT NULL
"""
_LEASE: Final = timedelta(seconds=LEASE_S)
UNCLAIMABLE: Final = RunFailed(
    code="agent_error", message="The answer could not be begun. The server's log says why.", retry=True
)


class Heartbeat(Struct, frozen=True):
    """The result of a heartbeat: the Runs that the worker has lost, and the Runs that it must cancel."""

    lost: set[RunId]
    cancelled: set[RunId]


def claim(run_id: RunId, *, worker: str) -> Claim | None:
    """Claims the Run for this worker, for LEASE_S. Returns None when it has ended, when another worker holds it, or when an
    earlier Run of its Session is active.

    A claim that raises an error counts as an attempt, unless the database is away: after ATTEMPTS of them the Run ends failed.
    """
    try:
        return _claim(run_id, worker)
    except Exception as error:
        if failures.is_outage(error):
            raise
        logger.exception("The Run %s cannot be claimed.", run_id)
        _count_failed_claim(run_id)
        return None


def _claim(run_id: RunId, worker: str) -> Claim | None:
    arguments = {"run": run_id, "worker": worker, "lease": _LEASE, "attempts": ATTEMPTS}
    with transaction.atomic(durable=True):
        row = _fetch_one(_CLAIM, arguments)
        if row is None:
            return None
        session, agent, fence, attempt, replies_to, attempt_seq, was_queued, waited_for = row
        if was_queued:
            queue.send(session, run_id, agent)
        actor = Actor(kind="agent", id=agent, name=dispatch.title(agent))
        if waited_for is not None:
            log.append(session, [msgspec.json.decode(waited_for, type=RunResumed)], actor=actor, run=run_id)
        else:
            fact: Fact = RunStarted(attempt=attempt)
            if attempt > 1:
                fact = RunRestarted(attempt=attempt, voided=log.started_messages(run_id, after=attempt_seq))
            span = log.append(session, [fact], actor=actor, run=run_id)
            Run.objects.filter(pk=run_id).update(attempt_seq=span.end)
    return Claim(
        session=session, run=run_id, fence=fence, actor=actor, agent=agent, attempt=attempt, replies_to=replies_to
    )


def _count_failed_claim(run_id: RunId) -> None:
    with transaction.atomic(durable=True):
        active = Run.objects.select_for_update().filter(pk=run_id, state__in=run_states.ACTIVE)
        run = active.filter(Q(lease_until=None) | Q(lease_until__lt=Now())).first()
        if run is None:
            return
        if run.attempt + 1 - run.handed_back >= ATTEMPTS:
            end_run(run, UNCLAIMABLE, actor=SYSTEM)
        else:
            Run.objects.filter(pk=run_id).update(attempt=F("attempt") + 1, fence=F("fence") + 1)


def heartbeat(claims: Sequence[Claim]) -> Heartbeat:
    """Renews the leases of a worker's live Runs, in one query."""
    runs = [claim.run for claim in claims]
    arguments: dict[str, Any] = {"lease": _LEASE, "runs": runs, "fences": [claim.fence for claim in claims]}
    with connection.cursor() as cursor:
        cursor.execute(_HEARTBEAT, arguments)
        renewed = {RunId(run): cancelled for run, cancelled in cursor.fetchall()}
    return Heartbeat(
        lost=set(runs) - renewed.keys(), cancelled={run for run, cancelled in renewed.items() if cancelled}
    )


def release(claim: Claim) -> None:
    """Hands the Run back because this worker is being stopped or the database was away, and wakes another. The attempt is not
    counted, also when another worker has claimed the Run meanwhile.
    """
    with transaction.atomic(durable=True):
        rows = Run.objects.filter(pk=claim.run, state=RunState.RUNNING)
        run = rows.select_for_update().first()
        if run is None:
            return
        if run.fence == claim.fence:
            hand_back(rows, counted=False)
        elif run.attempt > claim.attempt:
            rows.update(handed_back=_handed_back(run))


def hand_back(rows: QuerySet[Run], *, counted: bool) -> None:
    """Ends the lease of the Run in `rows`, if there is one, and wakes another worker. `counted`: the attempt counts."""
    run = rows.select_for_update().first()
    if run is None:
        return
    # The fence rises, so that a heartbeat under way does not renew the lease.
    rows.update(lease_until=Now(), fence=F("fence") + 1, handed_back=run.handed_back if counted else _handed_back(run))
    transaction.on_commit(partial(dispatch.dispatcher().wake, RunId(run.pk), run.agent), robust=True)


def _handed_back(run: Run) -> int:
    return min(run.handed_back + 1, HAND_BACKS)


def _fetch_one(statement: str, arguments: dict[str, Any]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row
