"""A worker claims a Run, renews its lease, and hands it back."""

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import msgspec
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from msgspec import Struct

from sessions_core import log
from sessions_core.models import Run
from sessions_core.protocol import run_states
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import SYSTEM, Actor, Fact, RunFailed, RunRestarted, RunResumed, RunStarted
from sessions_core.protocol.ids import MessageId, RunId, SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.protocol.spent import Spent
from sessions_core.services import dispatch, failures
from sessions_core.services.runs import code_change, queue, spending
from sessions_core.services.runs.end import end_run
from sessions_core.services.runs.turn import ITS_TURN, is_still_its_turn

logger = logging.getLogger(__name__)

ATTEMPTS: Final = 3  # a Run that kills its workers then ends interrupted
VERSION_CHARACTERS: Final = 64  # as the column has
HAND_BACKS: Final = 20  # of one Run that cost no attempt; a Run that always breaks off its connection would never end

_LAPSED: Final = f"run.state = '{RunState.RUNNING}' AND run.lease_until < now()"
# A new attempt begins.
STARTABLE: Final = f"""
    run.cancel_requested_at IS NULL AND (run.state = '{RunState.REQUESTED}' OR ({_LAPSED}))
    AND run.attempt - run.handed_back < %(attempts)s AND {ITS_TURN}
"""
# The same attempt goes on.
RESUMABLE: Final = f"run.cancel_requested_at IS NULL AND run.state = '{RunState.WAITING}' AND run.resume_at <= now()"
_LEASE: Final = "now() + %(lease)s * interval '1 second'"
_WORKED_MS: Final = "greatest(0, extract(epoch FROM least(before.lease_until, now()) - before.claimed_at) * 1000)"
_CLAIM: Final = f"""
    UPDATE run SET state = '{RunState.RUNNING}', fence = run.fence + 1, worker = %(worker)s, worker_version = %(version)s,
           attempt = run.attempt + CASE before.state WHEN '{RunState.WAITING}' THEN 0 ELSE 1 END,
           worked_ms = run.worked_ms + CASE before.state WHEN '{RunState.RUNNING}' THEN {_WORKED_MS} ELSE 0 END,
           lease_until = {_LEASE}, claimed_at = now(), started_at = coalesce(run.started_at, now()),
           queued = false, waits_on = '', waiting = NULL, resume_at = NULL
    FROM (SELECT id, state, queued, waiting, lease_until, resume_at, claimed_at FROM run
          WHERE id = %(run)s AND session_id = %(session)s AND ({STARTABLE} OR {RESUMABLE}) FOR NO KEY UPDATE) before
    WHERE run.id = before.id RETURNING run.*, before.queued AS was_queued, before.waiting AS waited_for,
          extract(epoch FROM now() - coalesce(before.lease_until, before.resume_at))::float AS free_s
"""
_HEARTBEAT: Final = f"""
    UPDATE run SET lease_until = {_LEASE}, {spending.ASSIGNMENTS} FROM (
        SELECT held.* FROM run JOIN {spending.GIVEN} ON run.id = held.id AND run.fence = held.fence
        WHERE run.state = '{RunState.RUNNING}' ORDER BY run.id FOR NO KEY UPDATE OF run
    ) live WHERE run.id = live.id RETURNING run.id, run.cancel_requested_at IS NOT NULL,
              EXISTS (SELECT FROM steer WHERE steer.run_id = run.id AND steer.consumed_by IS NULL)
"""
UNCLAIMABLE: Final = RunFailed(
    code="agent_error", message="The answer could not be begun. The server's log says why.", retry=True
)


class Heartbeat(Struct, frozen=True):
    """The result of a heartbeat: the Runs that the worker has lost, those that it must cancel, and those that people have written
    to.
    """

    lost: set[RunId]
    cancelled: set[RunId]
    steered: set[RunId] = set()


def claim(session_id: SessionId, run_id: RunId, *, worker: str) -> Claim | None:
    """Claims the Run for this worker, for LEASE_S: a new attempt, or the same one when the Run waited. Returns None when it has
    ended, when another worker holds it, when it waits still, when it is not its turn, or when its agent's code has changed and
    it is not for this worker (`code_change`).

    A claim that raises an error counts as an attempt, unless the database is away: after ATTEMPTS of them the Run ends failed.
    """
    try:
        return _claim(session_id, run_id, worker)
    except Exception as error:
        if failures.is_outage(error):
            raise
        logger.exception("The Run %s cannot be claimed.", run_id)
        _count_failed_claim(run_id)
        return None


def _claim(session_id: SessionId, run_id: RunId, worker: str) -> Claim | None:
    arguments: dict[str, Any] = {
        "session": session_id,
        "run": run_id,
        "worker": worker,
        "version": settings.VERSION[:VERSION_CHARACTERS],
        "attempts": ATTEMPTS,
        "lease": settings.LEASE_S,
    }
    with transaction.atomic(durable=True):
        run = next(iter(Run.objects.raw(_CLAIM, arguments)), None)
        if run is None:
            return None
        if run.was_queued:  # type: ignore[attr-defined]  # a column of the statement
            queue.send(session_id, run_id, run.agent)
            if not is_still_its_turn(session_id, run_id):
                transaction.set_rollback(True)
                return None
        version = dispatch.dispatcher().version(run.agent)
        judged = code_change.judge(run, version, free_s=run.free_s)  # type: ignore[attr-defined]  # as above
        if judged == "is left":
            transaction.set_rollback(True)
            return None
        if isinstance(judged, RunFailed):
            end_run(run, judged, actor=SYSTEM)
            return None
        actor = Actor(kind="agent", id=run.agent, name=dispatch.title(run.agent))
        waited_for: object = run.waited_for  # type: ignore[attr-defined]
        is_resumed = waited_for is not None and judged == "goes on"
        if is_resumed:
            log.append(session_id, [_resumed(waited_for)], actor=actor, run=run_id)
        else:
            fact = _begun(run) if judged == "goes on" else code_change.forget(run)
            span = log.append(session_id, [fact], actor=actor, run=run_id)
            Run.objects.filter(pk=run_id).update(attempt_seq=span.end, agent_version=version)
    return Claim(
        session=session_id,
        run=run_id,
        fence=run.fence,
        actor=actor,
        agent=run.agent,
        attempt=run.attempt,
        replies_to=MessageId(run.replies_to) if run.replies_to else None,
        is_resumed=is_resumed,
        claimed_at=run.claimed_at,
        worked_s=run.worked_ms / 1000,
        spent=spending.of(run),
    )


def _resumed(waited_for: object) -> RunResumed:
    return msgspec.json.decode(str(waited_for), type=RunResumed)


def _begun(run: Run) -> Fact:
    """Returns `run.started`, or `run.restarted` with what the attempt before has left open."""
    if run.attempt == 1:
        return RunStarted(attempt=1)
    still_open = log.open_messages(SessionId(run.session_id), RunId(run.pk), after=run.attempt_seq)
    voided = tuple(message for message, _ in still_open)
    calls = log.calls_in(RunId(run.pk), voided, after=run.attempt_seq) if voided else ()
    return RunRestarted(attempt=run.attempt, voided=voided, voided_calls=calls)


def void_message(claim: Claim, message: MessageId) -> None:
    """Takes an open Message away from the readers: the agent says something else after the Run has waited. Raises Fenced."""
    with transaction.atomic(durable=True):
        span = log.append_as(claim, [RunRestarted(attempt=claim.attempt, voided=(message,))])
        Run.objects.filter(pk=claim.run).update(attempt_seq=span.end)


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


def heartbeat(claims: Sequence[Claim], *, spent: Sequence[Spent] = ()) -> Heartbeat:
    """Renews the leases of a worker's live Runs and notes what each has `spent`, in one query. Without `spent`, nothing new."""
    runs = {claim.run for claim in claims}
    held = spending.given(claims, spent or [claim.spent for claim in claims])
    with connection.cursor() as cursor:
        cursor.execute(_HEARTBEAT, {"lease": settings.LEASE_S, "held": held})
        renewed = [(RunId(run), cancelled, steered) for run, cancelled, steered in cursor.fetchall()]
    return Heartbeat(
        lost=runs - {run for run, _, _ in renewed},
        cancelled={run for run, cancelled, _ in renewed if cancelled},
        steered={run for run, _, steered in renewed if steered},
    )


def release(claim: Claim, *, spent: Spent | None = None) -> None:
    """Hands the Run back because this worker is being stopped or the database was away, and wakes another. The attempt is not
    counted, also when another worker has claimed the Run meanwhile.
    """
    with transaction.atomic(durable=True):
        rows = Run.objects.filter(pk=claim.run, state=RunState.RUNNING)
        run = rows.select_for_update().first()
        if run is None:
            return
        if run.fence == claim.fence:
            spending.note(run, spent)
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
    transaction.on_commit(
        partial(dispatch.dispatcher().wake, SessionId(run.session_id), RunId(run.pk), run.agent), robust=True
    )


def _handed_back(run: Run) -> int:
    return min(run.handed_back + 1, HAND_BACKS)
