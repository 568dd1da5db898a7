"""Cancels Runs: appends `run.cancel_requested`, ends the Runs that no worker holds, and sends the other workers a hint."""

from collections.abc import Sequence
from functools import partial

from django.db import transaction
from django.db.models.functions import Now
from msgspec import Struct

from sessions_core import hints, log
from sessions_core.models import Run
from sessions_core.protocol import run_states
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import NotFound, RunEnded
from sessions_core.protocol.events import SYSTEM, RunCancelled, RunCancelRequested
from sessions_core.protocol.ids import ClientId, RunId, SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.services import access
from sessions_core.services.access import Right
from sessions_core.services.runs import queue, turn
from sessions_core.services.runs.end import end_run


class Stopped(Struct, frozen=True):
    """The Runs that a cancel reached, and the seq of its Event; of the newest one, when all of them are being stopped already.
    `repeated`: the same command was carried out before.
    """

    seq: int
    runs: tuple[RunId, ...]
    repeated: bool = False


def cancel(session_id: SessionId, *, by: Author, client_id: ClientId, run_id: RunId | None = None) -> Stopped:
    """Cancels one Run with its descendants, and pauses the queue; or all active Runs, also those that are queued. An archived
    Session is no hindrance. Raises NotFound, ReadOnly, RunEnded.
    """
    access.check_known(session_id, by=by, client_id=client_id)
    with transaction.atomic(durable=True):
        active = lock_active(session_id)
        _, first = access.begin_once(session_id, by=by, right=Right.EDIT, client_id=client_id, kind=RunCancelRequested)
        if first is not None:
            seq, fact = first
            return Stopped(seq=seq, runs=fact.runs, repeated=True)
        if run_id is None:
            stopped = _cancel(session_id, active, by=by, client_id=client_id)
            queue.resume_if_empty(session_id)
            return stopped
        if not Run.objects.filter(session_id=session_id, pk=run_id).exists():
            raise NotFound("There is no such answer in this conversation.")
        reached = _with_descendants(active, run_id)
        stopped = _cancel(session_id, reached, by=by, client_id=client_id)
        _pause(session_id, reached)
        return stopped


def cancel_by_staff(session_id: SessionId, run_id: RunId, *, by: Author) -> Stopped:
    """Cancels a Run with its descendants, without checking membership. Raises NotFound, RunEnded."""
    with transaction.atomic(durable=True):
        if not Run.objects.filter(session_id=session_id, pk=run_id).exists():
            raise NotFound
        reached = _with_descendants(lock_active(session_id), run_id)
        stopped = _cancel(session_id, reached, by=by, client_id=None)
        _pause(session_id, reached)
        return stopped


def interrupt(session_id: SessionId, active: Sequence[Run], *, by: Author) -> bool:
    """Cancels the Runs that hold the turn, with their descendants, because a Message goes ahead of them. `active`: those that the
    caller has locked before the Session. Returns False, and changes nothing, when others have begun since.
    """
    now_active = {run.pk for run in turn.holding(session_id)}
    if not now_active <= {run.pk for run in active}:
        return False
    reached = {run.pk: run for holder in now_active for run in _with_descendants(active, RunId(holder))}
    if reached:
        _cancel(session_id, list(reached.values()), by=by, client_id=None)
    return True


def _cancel(session_id: SessionId, active: Sequence[Run], *, by: Author, client_id: ClientId | None) -> Stopped:
    if not active:
        raise RunEnded
    not_cancelled = [run for run in active if run.cancel_requested_at is None]
    if not not_cancelled:
        return Stopped(seq=log.heads([session_id])[session_id].head, runs=tuple(RunId(run.pk) for run in active))
    reached = tuple(RunId(run.pk) for run in not_cancelled)
    fact = RunCancelRequested(by=str(by.user), device=by.device_text, runs=reached)
    only = reached[0] if len(reached) == 1 else None
    span = log.append(session_id, [fact], actor=by.actor, run=only, client_id=client_id)
    Run.objects.filter(pk__in=reached).update(cancel_requested_at=Now())
    for run in not_cancelled:
        if run.queued:
            queue.append_withdrawn(session_id, run, by=by)
        if run.state != RunState.RUNNING:  # no worker holds it, so none would end it
            end_run(run, RunCancelled(), actor=SYSTEM)
    transaction.on_commit(partial(hints.signal_cancel, reached), robust=True)
    return Stopped(seq=span.end, runs=reached)


def _pause(session_id: SessionId, stopped: Sequence[Run]) -> None:
    """Pauses the queue when a Run of the turn was stopped. A queued one that was stopped is only taken out of the queue."""
    for run in stopped:
        if run.parent_id is None and not run.queued:
            queue.pause(session_id, RunId(run.pk), "stopped")


def lock_active(session_id: SessionId) -> list[Run]:
    """Locks the active Runs, always in the order of their ids: no deadlock between two cancels."""
    return list(
        Run.objects.select_for_update().filter(session_id=session_id, state__in=run_states.ACTIVE).order_by("pk")
    )


def _with_descendants(active: Sequence[Run], run_id: RunId) -> list[Run]:
    reached = {run_id}
    while more := {RunId(run.pk) for run in active if run.parent_id in reached} - reached:
        reached |= more
    return [run for run in active if run.pk in reached]
