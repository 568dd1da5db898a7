"""Runs: requested, claimed, finished, cancelled, swept. The database owns them; a worker is only woken (architecture.md §7).

Lock order is always run, then session. States move by compare-and-set; each move appends its Event in the same transaction.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from msgspec import UNSET, Struct

from sessions_core import hints, log
from sessions_core.models import Run, Session
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import BadField, Conflict, Fenced, NotFound, RunEnded
from sessions_core.protocol.events import (
    SYSTEM,
    Actor,
    Fact,
    MessageCompleted,
    MessageState,
    Part,
    RunCancelled,
    RunCancelRequested,
    RunCompleted,
    RunFailed,
    RunInterrupted,
    RunOutcome,
    RunRequested,
    RunRestarted,
    RunStarted,
    Usage,
)
from sessions_core.protocol.ids import ClientId, MessageId, RunId, SessionId, new_run
from sessions_core.services import access, dispatch

LEASE_S: Final = 6  # a killed worker's Run goes on this long after its last beat
HEARTBEAT_S: Final = 1  # six beats a lease: one slow query loses nothing
ATTEMPTS: Final = 3  # then a Run that kills its workers ends interrupted
WAKE_AGAIN: Final = timedelta(seconds=3)  # before a wake counts as lost
NOTHING_USED: Final[Mapping[MessageId, Usage]] = MappingProxyType({})
COMPACT_BATCH: Final = 50  # Runs in one transaction of the janitor

# A Run may go when no earlier Run of its Session is active: answers come one after the other. Sub-Runs do not wait.
_ITS_TURN: Final = """
    (run.parent_id IS NOT NULL OR NOT EXISTS (
        SELECT 1 FROM run earlier WHERE earlier.session_id = run.session_id AND earlier.asked_seq < run.asked_seq
        AND earlier.parent_id IS NULL AND earlier.state IN ('requested', 'running', 'waiting')))
"""
_CLAIMABLE: Final = """
    run.cancel_requested_at IS NULL AND (run.state = 'requested' OR (run.state = 'running' AND run.lease_until < now()))
"""
_CLAIM: Final = f"""
    UPDATE run SET state = 'running', attempt = attempt + 1, fence = fence + 1, worker = %(worker)s,
           lease_until = now() + %(lease)s, started_at = coalesce(started_at, now())
    WHERE id = %(run)s AND attempt - handed_back < %(attempts)s AND {_CLAIMABLE} AND {_ITS_TURN}
    RETURNING session_id, agent, fence, attempt, replies_to, attempt_seq
"""
_BEAT: Final = """
    UPDATE run SET lease_until = now() + %(lease)s FROM (
        SELECT run.id FROM run JOIN unnest(%(runs)s::uuid[], %(fences)s::bigint[]) AS held(id, fence)
          ON run.id = held.id AND run.fence = held.fence
        WHERE run.state = 'running' ORDER BY run.id FOR NO KEY UPDATE OF run
    ) mine WHERE run.id = mine.id RETURNING run.id, run.cancel_requested_at IS NOT NULL
"""
_WAKE: Final = f"""
    UPDATE run SET woken_at = now() WHERE id IN (
        SELECT id FROM run WHERE ended_at IS NULL AND {_CLAIMABLE} AND {_ITS_TURN} AND attempt - handed_back < %(attempts)s
        AND (woken_at < now() - %(again)s OR state = 'running' AND woken_at < lease_until)
        ORDER BY requested_at LIMIT 200 FOR NO KEY UPDATE SKIP LOCKED
    ) RETURNING id, agent
"""
_LEASE: Final = timedelta(seconds=LEASE_S)


class Heartbeat(Struct, frozen=True):
    """What a heartbeat brought back: Runs that are not the worker's any more, and Runs that somebody wants stopped."""

    lost: set[RunId]
    cancelled: set[RunId]


class Requested(Struct, frozen=True):
    """A Run that was asked for, at `seq`; `repeated`: by an earlier sending of the same command."""

    seq: int
    run: RunId
    repeated: bool = False


class Stopped(Struct, frozen=True):
    """The Runs that a cancel reached, at `seq`."""

    seq: int
    runs: tuple[RunId, ...]
    repeated: bool = False


def lock_session(session_id: SessionId) -> Session:
    """The Session's row, locked: what is looked up now holds until the commit. Raises NotFound when it was just deleted."""
    session = Session.objects.select_for_update().filter(pk=session_id).first()
    if session is None:
        raise NotFound("There is no such conversation.")
    return session


def request(
    session_id: SessionId,
    before: Sequence[Fact],
    *,
    by: Author,
    agent: str,
    replies_to: MessageId | None,
    client_id: ClientId | None,
) -> Requested:
    """Appends the facts `before` and `run.requested` together, and wakes a worker after the commit. Needs a transaction in
    which the Session's row is locked; `seq` is the first Event's.
    """
    run = new_run()
    facts = [*before, RunRequested(run=run, agent=agent, parent=None, replies_to=replies_to)]
    span = log.append(session_id, facts, actor=by.actor, client_id=client_id)
    Run.objects.create(
        id=run, session_id=session_id, agent=agent, replies_to=replies_to, asked_seq=span.end, requested_by_id=by.user
    )
    transaction.on_commit(partial(dispatch.dispatcher().wake, run, agent), robust=True)
    return Requested(seq=span.start + 1, run=run)


def retry(session_id: SessionId, *, by: Author, client_id: ClientId, run_id: RunId) -> Requested:
    """Asks the same agent once more for what a Run did not bring to its end. Raises NotFound, ReadOnly, Conflict."""
    access.writer(session_id, user=by.user)
    with transaction.atomic(durable=True):
        lock_session(session_id)
        if (done := log.find_command(session_id, client_id)) is not None:
            return _requested_before(*done)
        run = Run.objects.filter(session_id=session_id, pk=run_id).first()
        if run is None:
            raise NotFound("There is no such answer in this conversation.")
        if run.state not in {Run.State.FAILED, Run.State.INTERRUPTED, Run.State.CANCELLED}:
            raise Conflict("Only an answer that failed or was stopped can be tried again.")
        replies_to = MessageId(run.replies_to) if run.replies_to else None
        agent = dispatch.still_known(run.agent)
        return request(session_id, [], by=by, agent=agent, replies_to=replies_to, client_id=client_id)


def claim(run_id: RunId, *, worker: str) -> Claim | None:
    """Makes the Run this worker's, for LEASE_S. None where it is not to be had: ended, at work elsewhere, not its turn."""
    arguments = {"run": run_id, "worker": worker, "lease": _LEASE, "attempts": ATTEMPTS}
    with transaction.atomic(durable=True):
        row = _row(_CLAIM, arguments)
        if row is None:
            return None
        session, agent, fence, attempt, replies_to, attempt_seq = row
        fact: Fact = RunStarted(attempt=attempt)
        if attempt > 1:
            fact = RunRestarted(attempt=attempt, voided=log.begun_messages(run_id, after=attempt_seq))
        actor = Actor(kind="agent", id=agent, name=dispatch.title(agent))
        span = log.append(session, [fact], actor=actor, run=run_id)
        Run.objects.filter(pk=run_id).update(attempt_seq=span.end)
    return Claim(
        session=session, run=run_id, fence=fence, actor=actor, agent=agent, attempt=attempt, replies_to=replies_to
    )


def heartbeat(claims: Sequence[Claim]) -> Heartbeat:
    """Renews the leases of a worker's live Runs, in one query."""
    held = [claim.run for claim in claims]
    arguments: dict[str, Any] = {"lease": _LEASE, "runs": held, "fences": [claim.fence for claim in claims]}
    with connection.cursor() as cursor:
        cursor.execute(_BEAT, arguments)
        mine = {RunId(run): cancelled for run, cancelled in cursor.fetchall()}
    return Heartbeat(lost=set(held) - mine.keys(), cancelled={run for run, cancelled in mine.items() if cancelled})


def finish(claim: Claim, outcome: RunOutcome, *, used: Mapping[MessageId, Usage] = NOTHING_USED) -> None:
    """Ends the Run: completes what is still open with what its deltas said (and `used`), then appends the outcome, all at
    once. A Run that somebody stopped ends cancelled, whatever it says itself. Raises Fenced.
    """
    with transaction.atomic(durable=True):
        run = Run.objects.select_for_update().filter(pk=claim.run, fence=claim.fence, state=Run.State.RUNNING).first()
        if run is None:
            raise Fenced
        _end(run, RunCancelled() if run.cancel_requested_at else outcome, actor=claim.actor, used=used)


def release(claim: Claim) -> None:
    """Hands the Run back, because this worker is being stopped: another takes it at once."""
    mine = Run.objects.filter(pk=claim.run, fence=claim.fence, state=Run.State.RUNNING)
    with transaction.atomic(durable=True):
        run = mine.select_for_update().first()
        if run is None:
            return
        mine.update(lease_until=Now(), handed_back=run.handed_back + 1)
        transaction.on_commit(partial(dispatch.dispatcher().wake, claim.run, claim.agent), robust=True)


def cancel(session_id: SessionId, *, by: Author, client_id: ClientId, run_id: RunId | None = None) -> Stopped:
    """Stop: one Run with its descendants, or all active ones. Raises NotFound, ReadOnly, RunEnded."""
    access.writer(session_id, user=by.user)
    with transaction.atomic(durable=True):
        active = _lock_active(Q(session_id=session_id))
        if (done := log.find_command(session_id, client_id)) is not None:
            return _stopped_before(*done)
        if run_id is not None:
            if not Run.objects.filter(session_id=session_id, pk=run_id).exists():
                raise NotFound("There is no such answer in this conversation.")
            active = _with_descendants(active, run_id)
        return _cancel(session_id, active, by=by, client_id=client_id)


def stop(run_id: RunId, *, by: Author) -> Stopped:
    """Stop by the staff, from the admin: no membership is asked for. Raises NotFound, RunEnded."""
    with transaction.atomic(durable=True):
        session = Run.objects.filter(pk=run_id).values_list("session_id", flat=True).first()
        if session is None:
            raise NotFound
        active = _with_descendants(_lock_active(Q(session_id=session)), run_id)
        return _cancel(SessionId(session), active, by=by, client_id=None)


def end_lapsed() -> None:
    """What every worker does each second: ends Runs that nobody will end any more (P8)."""
    lapsed = Q(state=Run.State.RUNNING, lease_until__lt=Now())
    for run_id in Run.objects.filter(lapsed).values_list("pk", flat=True)[:200]:
        _end_lapsed(RunId(run_id))


def wake_waiting() -> None:
    """What every worker with room does each second: wakes Runs that wait, and whose wake may have been lost (P8)."""
    with connection.cursor() as cursor:
        arguments: dict[str, Any] = {"again": WAKE_AGAIN, "attempts": ATTEMPTS}
        cursor.execute(_WAKE, arguments)
        woken = cursor.fetchall()
    for run, agent in woken:
        dispatch.dispatcher().wake(RunId(run), agent)


def compact(*, delay: timedelta) -> int:
    """Deletes the deltas of some Runs that ended longer than `delay` ago. Safe to run anywhere, twice at once. Returns of how
    many Runs.
    """
    with transaction.atomic(durable=True):
        due = Run.objects.select_for_update(skip_locked=True, no_key=True).filter(
            ended_at__lt=Now() - delay, compacted_at=None
        )
        runs = list(due.order_by("ended_at").values_list("session_id", "pk", "asked_seq")[:COMPACT_BATCH])
        for session, run, asked in runs:
            log.compact(SessionId(session), RunId(run), after=asked)
        return Run.objects.filter(pk__in=[run for _, run, _ in runs]).update(compacted_at=Now())


def running(session_ids: Sequence[SessionId]) -> set[SessionId]:
    """Those of the Sessions in which something is at work or about to."""
    rows = Run.objects.filter(session_id__in=session_ids, state__in=Run.ACTIVE).values_list("session_id", flat=True)
    return {SessionId(row) for row in rows}


def has_active(session_id: SessionId) -> bool:
    return bool(running([session_id]))


def _cancel(session_id: SessionId, active: Sequence[Run], *, by: Author, client_id: ClientId | None) -> Stopped:
    if not active:
        raise RunEnded
    reached = tuple(RunId(run.pk) for run in active)
    fact = RunCancelRequested(by=str(by.user), device=by.device_text, runs=reached)
    only = reached[0] if len(reached) == 1 else None
    span = log.append(session_id, [fact], actor=by.actor, run=only, client_id=client_id)
    Run.objects.filter(pk__in=reached, cancel_requested_at=None).update(cancel_requested_at=Now())
    for run in active:
        if run.state != Run.State.RUNNING:  # nobody works on it, so nobody else would end it
            _end(run, RunCancelled(), actor=SYSTEM)
    transaction.on_commit(partial(hints.signal_cancel, reached), robust=True)
    return Stopped(seq=span.end, runs=reached)


def _end_lapsed(run_id: RunId) -> None:
    """Ends a Run without a worker, if it was stopped or has used its attempts; else it is claimed again."""
    with transaction.atomic(durable=True):
        lapsed = Run.objects.select_for_update(skip_locked=True).filter(
            pk=run_id, state=Run.State.RUNNING, lease_until__lt=Now()
        )
        run = lapsed.first()
        if run is None:
            return
        if run.cancel_requested_at:
            _end(run, RunCancelled(), actor=SYSTEM)
        elif run.attempt - run.handed_back >= ATTEMPTS:
            reason = f"It was started {ATTEMPTS} times, and each time the worker stopped answering."
            _end(run, RunInterrupted(reason=reason), actor=SYSTEM)


def _end(run: Run, outcome: RunOutcome, *, actor: Actor, used: Mapping[MessageId, Usage] = NOTHING_USED) -> None:
    """The one way to a terminal state. The run's row is locked by the caller."""
    session, run_id = SessionId(run.session_id), RunId(run.pk)
    state, how = _states(outcome)
    left = log.open_messages(session, run_id, after=run.attempt_seq) if run.attempt else []
    facts: list[Fact] = [_closing(message, parts, how, used) for message, parts in left]
    log.append(session, [*facts, outcome], actor=actor, run=run_id)
    error = outcome.message if isinstance(outcome, RunFailed) else getattr(outcome, "reason", "")
    Run.objects.filter(pk=run.pk).update(state=state, lease_until=None, ended_at=Now(), error=error[:500])
    transaction.on_commit(partial(_wake_next, session), robust=True)


def _closing(
    message: MessageId, parts: tuple[Part, ...], state: MessageState, used: Mapping[MessageId, Usage]
) -> MessageCompleted:
    return MessageCompleted(message=message, parts=parts, state=state, usage=used.get(message, UNSET))


def _states(outcome: RunOutcome) -> tuple[Run.State, MessageState]:
    match outcome:
        case RunCompleted():
            return Run.State.COMPLETED, "complete"
        case RunCancelled():
            return Run.State.CANCELLED, "cancelled"
        case RunFailed():
            return Run.State.FAILED, "failed"
        case RunInterrupted():
            return Run.State.INTERRUPTED, "interrupted"


def _wake_next(session_id: SessionId) -> None:
    waiting = Run.objects.filter(session_id=session_id, state=Run.State.REQUESTED).order_by("asked_seq").first()
    if waiting is not None:
        dispatch.dispatcher().wake(RunId(waiting.pk), waiting.agent)


def _lock_active(where: Q) -> list[Run]:
    """The active Runs, locked, always in the same order."""
    return list(Run.objects.select_for_update().filter(where, state__in=Run.ACTIVE).order_by("pk"))


def _with_descendants(active: Sequence[Run], run_id: RunId) -> list[Run]:
    reached = {run_id}
    while more := {RunId(run.pk) for run in active if run.parent_id in reached} - reached:
        reached |= more
    return [run for run in active if run.pk in reached]


def _requested_before(seq: int, fact: Fact | None) -> Requested:
    match fact:
        case RunRequested(run=run):
            return Requested(seq=seq, run=run, repeated=True)
        case _:
            raise BadField("That id was used for another command already.")


def _stopped_before(seq: int, fact: Fact | None) -> Stopped:
    match fact:
        case RunCancelRequested(runs=reached):
            return Stopped(seq=seq, runs=reached, repeated=True)
        case _:
            raise BadField("That id was used for another command already.")


def _row(statement: str, arguments: dict[str, Any]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row
