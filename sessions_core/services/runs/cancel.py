"""Cancels Runs: appends `run.cancel_requested`, ends the Runs that no worker holds, and sends the other workers a hint."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from django.db import connection, transaction
from django.db.models.functions import Now
from msgspec import Struct

from sessions_core import hints, log
from sessions_core.models import NeedlessStop, Run, Session
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

_FAMILY: Final = """
    WITH RECURSIVE family AS (
        SELECT unnest(%s::uuid[]) AS id UNION SELECT run.id FROM run JOIN family ON run.parent_id = family.id)
    SELECT id FROM family
"""


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
    if (kept := _find_kept(session_id, by, client_id)) is not None:
        return kept
    access.check_known(session_id, by=by, client_id=client_id)
    while (stopped := _try(session_id, by, client_id, run_id)) is None:
        pass
    return stopped


def _try(session_id: SessionId, by: Author, client_id: ClientId, run_id: RunId | None) -> Stopped | None:
    """Returns None, and changes nothing, when other Runs were requested meanwhile, which it may have to reach."""
    with transaction.atomic(durable=True):
        active = lock_active(session_id)
        if (kept := _find_kept(session_id, by, client_id)) is not None:  # the same command, just now
            return kept
        _, first = access.begin_once(session_id, by=by, right=Right.EDIT, client_id=client_id, kind=RunCancelRequested)
        if first is not None:
            seq, fact = first
            return Stopped(seq=seq, runs=fact.runs, repeated=True)
        if have_others_come(session_id, active):
            return None
        if run_id is None:
            stopped = _cancel(session_id, active, by=by, client_id=client_id)
            _pause(session_id, active)  # for what was given to a Run and not taken
            return stopped
        return _cancel_one(session_id, run_id, active, by=by, client_id=client_id)


def cancel_by_staff(session_id: SessionId, run_id: RunId, *, by: Author) -> Stopped:
    """Cancels a Run with its descendants, without checking membership. Raises NotFound, RunEnded."""
    while (stopped := _try_by_staff(session_id, run_id, by)) is None:
        pass
    return stopped


def _try_by_staff(session_id: SessionId, run_id: RunId, by: Author) -> Stopped | None:
    with transaction.atomic(durable=True):
        active = lock_active(session_id)
        if not Session.objects.select_for_update().filter(pk=session_id, deleted_at=None).exists():
            raise NotFound(access.NO_SESSION)
        if have_others_come(session_id, active):
            return None
        return _cancel_one(session_id, run_id, active, by=by, client_id=None)


def interrupt(session_id: SessionId, active: Sequence[Run], *, by: Author) -> None:
    """Cancels the Runs that hold the turn, with their descendants, because a Message goes ahead of them. `active`: all active
    Runs of the Session, which the caller has locked before it.
    """
    reached = _with_descendants(active, [RunId(run.pk) for run in active if turn.holds(run)])
    if reached:
        _cancel(session_id, reached, by=by, client_id=None)


def _cancel_one(
    session_id: SessionId, run_id: RunId, active: Sequence[Run], *, by: Author, client_id: ClientId | None
) -> Stopped:
    if not Run.objects.filter(session_id=session_id, pk=run_id).exists():
        raise NotFound("There is no such answer in this conversation.")
    reached = _with_descendants(active, [run_id])
    stopped = _cancel(session_id, reached, by=by, client_id=client_id)
    _pause(session_id, reached)
    return stopped


def _pause(session_id: SessionId, stopped: Sequence[Run]) -> None:
    """Pauses the queue when a Run that held the turn was stopped, and was not being stopped already."""
    for run in stopped:
        if run.cancel_requested_at is None and turn.holds(run):
            queue.pause(session_id, RunId(run.pk), "stopped")


def _cancel(session_id: SessionId, active: Sequence[Run], *, by: Author, client_id: ClientId | None) -> Stopped:
    if not active:
        raise RunEnded
    not_cancelled = [run for run in active if run.cancel_requested_at is None]
    if not not_cancelled:
        return _keep_needless(session_id, active, by=by, client_id=client_id)
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


def _keep_needless(session_id: SessionId, active: Sequence[Run], *, by: Author, client_id: ClientId | None) -> Stopped:
    """Keeps the answer to a Stop that has nothing to do. The caller has locked the Session's row."""
    stopped = Stopped(seq=log.heads([session_id])[session_id].head, runs=tuple(RunId(run.pk) for run in active))
    if client_id is not None:
        NeedlessStop.objects.create(
            session_id=session_id, client_id=client_id, given_by_id=by.user, seq=stopped.seq, runs=[*stopped.runs]
        )
    return stopped


def _find_kept(session_id: SessionId, by: Author, client_id: ClientId) -> Stopped | None:
    """Returns what this Stop was answered before, if it had nothing to do then."""
    kept = NeedlessStop.objects.filter(session_id=session_id, client_id=client_id, given_by=by.user).first()
    return None if kept is None else Stopped(seq=kept.seq, runs=tuple(map(RunId, kept.runs)), repeated=True)


def lock_active(session_id: SessionId) -> list[Run]:
    """Locks the active Runs, always in the order of their ids: no deadlock between two cancels."""
    return list(
        Run.objects.select_for_update().filter(session_id=session_id, state__in=run_states.ACTIVE).order_by("pk")
    )


def have_others_come(session_id: SessionId, locked: Sequence[Run]) -> bool:
    """Returns whether there are other active Runs than those that `lock_active` has locked: they were requested before the caller
    had the lock of the Session. It then begins again, because Runs are locked before their Session.
    """
    active = Run.objects.filter(session_id=session_id, state__in=run_states.ACTIVE)
    return active.exclude(pk__in=[run.pk for run in locked]).exists()


def _with_descendants(active: Sequence[Run], run_ids: Sequence[RunId]) -> list[Run]:
    """Returns those of the `active` Runs that are given or descend from the given ones, also through Runs that have ended."""
    with connection.cursor() as cursor:
        cursor.execute(_FAMILY, [list(run_ids)])
        family = {run_id for (run_id,) in cursor.fetchall()}
    return [run for run in active if run.pk in family]
