"""Runs that wait: what they wait for, and waking them. A Run waits in the database alone; no worker holds it."""

from datetime import datetime
from functools import partial

from django.db import connection, transaction
from django.db.models.functions import Now
from msgspec import convert

from sessions_core.models import Ask, Run, Signal
from sessions_core.protocol import run_states
from sessions_core.protocol.events import RunWaiting
from sessions_core.protocol.ids import RunId, SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.services import dispatch


def resume(run_id: RunId) -> None:
    """Lets workers go on with a Run that waits, and wakes one after the commit. Does nothing for a Run that does not wait, or
    that they may go on with already: a claim that waits for the row's lock would take it for one that is not due yet.

    The caller has opened a transaction. It locks the Run's row: before the Session's, as everywhere.
    """
    waiting = Run.objects.filter(pk=run_id, state=RunState.WAITING)
    if waiting.exclude(resume_at__lte=Now()).update(resume_at=Now(), woken_at=Now()):
        session, agent = waiting.values_list("session_id", "agent").get()
        transaction.on_commit(partial(dispatch.dispatcher().wake, SessionId(session), run_id, agent), robust=True)


def resume_if_due(run_id: RunId) -> None:
    """Lets workers go on with a Run when it waits and something that it waits for has come: anything that lets one of its tasks
    go on. What the others wait for is still missing, so it may soon wait again. The caller has locked its row.
    """
    fact = Run.objects.filter(pk=run_id, state=RunState.WAITING).values_list("waiting", flat=True).first()
    if fact is not None and _has_come(run_id, convert(fact, RunWaiting)):
        resume(run_id)


def now() -> datetime:
    """Returns the time by the database's clock, which leases and waits go by."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        time: datetime = cursor.fetchone()[0]
        return time


def _has_come(run_id: RunId, fact: RunWaiting) -> bool:
    """Looks for each kind: a Run may wait for several. The end of a sleep is a time, `resume_at`, so it is not asked for here."""
    return _is_answered(fact) or _has_signal(run_id, fact) or _have_ended(fact)


def _is_answered(fact: RunWaiting) -> bool:
    """Returns whether a question is closed. Approvals are decided together, so they count when the last one is."""
    asked = Ask.objects.filter(pk__in=fact.asks or [fact.ask]) if fact.ask else Ask.objects.none()
    is_open = {(kind == "approval", state == "open") for kind, state in asked.values_list("kind", "state")}
    return (False, False) in is_open or ((True, False) in is_open and (True, True) not in is_open)


def _has_signal(run_id: RunId, fact: RunWaiting) -> bool:
    names = fact.signals or ([fact.signal] if fact.signal else [])
    return bool(names) and Signal.objects.filter(run=run_id, name__in=names, consumed_by=None).exists()


def _have_ended(fact: RunWaiting) -> bool:
    children = Run.objects.filter(pk__in=fact.runs or ())
    return bool(fact.runs) and not children.filter(state__in=run_states.ACTIVE).exists()
