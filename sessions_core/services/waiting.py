"""Runs that wait: what they wait for, and waking them. A Run waits in the database alone; no worker holds it."""

from datetime import datetime
from functools import partial

from django.db import connection, transaction
from django.db.models.functions import Least, Now
from msgspec import UNSET

from sessions_core.models import Ask, Run, Signal
from sessions_core.protocol import run_states
from sessions_core.protocol.events import RunWaiting
from sessions_core.protocol.ids import RunId, SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.services import dispatch


def resume(run_id: RunId, *, at: datetime | None = None) -> None:
    """Lets workers go on with a Run that waits, from `at` on, or at once, and then wakes one after the commit. Does nothing for
    a Run that does not wait.

    The caller has opened a transaction. It locks the Run's row: before the Session's, as everywhere.
    """
    waiting = Run.objects.filter(pk=run_id, state=RunState.WAITING)
    if at is not None:
        waiting.update(resume_at=Least("resume_at", at))
    elif waiting.update(resume_at=Now(), woken_at=Now()):
        session, agent = waiting.values_list("session_id", "agent").get()
        transaction.on_commit(partial(dispatch.dispatcher().wake, SessionId(session), run_id, agent), robust=True)


def now() -> datetime:
    """Returns the time by the database's clock, which leases and waits go by."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        time: datetime = cursor.fetchone()[0]
        return time


def is_over(run_id: RunId, fact: RunWaiting) -> bool:
    """Returns whether what the Run is about to wait for has come already: since its agent looked, and before its row was locked.
    The end of a sleep is a time, so it is not asked for here.
    """
    match fact.on:
        case "ask":
            asks = fact.asks or ([fact.ask] if fact.ask else [])
            return not Ask.objects.filter(pk__in=asks, state="open").exists()
        case "signal":
            name = None if fact.signal is UNSET else fact.signal
            return Signal.objects.filter(run=run_id, name=name, consumed_by=None).exists()
        case "children":
            return not Run.objects.filter(pk__in=fact.runs or (), state__in=run_states.ACTIVE).exists()
        case "sleep":
            return False
