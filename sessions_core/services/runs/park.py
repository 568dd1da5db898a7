"""A Run begins to wait: for people, for a time, for a signal or for other Runs. Its worker lets go of it."""

from datetime import datetime
from functools import partial

import msgspec
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from sessions_core import log
from sessions_core.models import Run
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import Fenced
from sessions_core.protocol.events import RunCancelled, RunWaiting
from sessions_core.protocol.ids import RunId, SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.protocol.spent import Spent
from sessions_core.services import waiting
from sessions_core.services.runs import queue, spending
from sessions_core.services.runs.end import end_run
from sessions_core.services.runs.turn import KEEPS_TURN


def park(claim: Claim, fact: RunWaiting, *, resume_at: datetime | None = None, spent: Spent | None = None) -> None:
    """Moves a running Run to `waiting` and appends the fact. Its lease ends, its fence rises, so whoever held it writes no more.

    It goes on at `resume_at`, or when something has come that it waits for (`waiting.resume_if_due`); that may be so already.
    A Run whose cancellation was requested ends cancelled. Raises Fenced.
    """
    with transaction.atomic(durable=True):
        held = Run.objects.select_for_update().filter(pk=claim.run, fence=claim.fence, state=RunState.RUNNING)
        run = held.annotate(now=Now()).first()
        if run is None:
            raise Fenced
        spending.note(run, spent)
        if run.cancel_requested_at:
            end_run(run, RunCancelled(), actor=claim.actor)
            return
        log.append(SessionId(run.session_id), [fact], actor=claim.actor, run=claim.run)
        Run.objects.filter(pk=run.pk).update(
            state=RunState.WAITING,
            fence=F("fence") + 1,
            worked_ms=F("worked_ms") + _milliseconds(run.claimed_at, run.now),
            lease_until=None,
            waits_on=fact.on,
            waiting=msgspec.to_builtins(fact),
            resume_at=resume_at,
        )
        if fact.on not in KEEPS_TURN:
            transaction.on_commit(partial(queue.wake_next, SessionId(run.session_id)), robust=True)
        waiting.resume_if_due(RunId(run.pk))


def _milliseconds(since: datetime | None, now: datetime) -> int:
    return round((now - since).total_seconds() * 1000) if since else 0
