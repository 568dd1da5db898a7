"""Steers: Messages that people give to a Run while it works. The only writer of Steer.

The agent takes all that are at hand together; what it has not taken when the Run ends becomes the next Message. Never neither,
never both: whoever posts, takes or ends locks the Run's row, before the Session's.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from msgspec import UNSET, Struct, convert, to_builtins

from sessions_core import hints, log
from sessions_core.models import QueuedMessage, Run, Steer
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import Fenced, LimitReached
from sessions_core.protocol.events import (
    Actor,
    Fact,
    MessagePosted,
    Part,
    RunCancelled,
    RunOutcome,
    RunRequested,
    RunSteered,
)
from sessions_core.protocol.ids import MessageId, RunId, SessionId, UserId, new_run
from sessions_core.protocol.run_states import RunState
from sessions_core.services.runs import turn

KEY_CHARACTERS: Final = 200  # as the column has


class Steering(Struct, frozen=True):
    """What a person has written to a Run while it worked."""

    message: MessageId
    text: str
    author: Actor


def lock_steerable(session_id: SessionId) -> list[Run]:
    """Locks the Runs that hold the turn. A post does it before it locks the Session."""
    return list(turn.holding(session_id).select_for_update(no_key=True).order_by("pk"))


def asking(session_id: SessionId) -> QuerySet[Run]:
    """Returns the Runs that hold the turn and wait for an answer of people, the newest first."""
    return turn.holding(session_id).filter(waits_on="ask").order_by("-asked_seq")


def lock_asking(session_id: SessionId) -> list[Run]:
    """Locks the Runs that wait for an answer of people. A post does it before it locks the Session."""
    return list(asking(session_id).select_for_update(no_key=True).order_by("pk"))


def find_steerable(session_id: SessionId) -> Run | None:
    """Returns the Run that a Message can be given to: the newest at work, or else the newest that is about to begin. One that is
    being stopped takes none.
    """
    runs = turn.holding(session_id).filter(cancel_requested_at=None)
    return max(runs, key=lambda run: (run.state != RunState.REQUESTED, run.asked_seq), default=None)


def add_steer(run: Run, posted: MessagePosted, *, agent: str, by: UserId, seq: int) -> None:
    """Gives a Message that was posted at `seq` to the Run, and tells its worker after the commit. `agent` answers when the Run
    does not take it. The caller has locked the Run's row, then the Session's. Raises LimitReached.
    """
    if Steer.objects.filter(run=run)[: settings.WAITING_RUNS].count() >= settings.WAITING_RUNS:
        raise LimitReached(f"{settings.WAITING_RUNS} messages were given to this answer, and no more may.")
    Steer.objects.create(
        message=posted.message,
        session_id=run.session_id,
        run=run,
        agent=agent,
        parts=to_builtins(posted.parts),
        posted_by_id=by,
        posted_seq=seq,
    )
    transaction.on_commit(partial(hints.signal_steer, RunId(run.pk)), robust=True)


def take_steers(claim: Claim, key: str, *, before: Sequence[Fact] = ()) -> list[Steering]:
    """Takes all Messages that were given to the Run and not taken yet, in the order of posting, and appends `run.steered` for
    each, after the facts `before`. With none at hand nothing is appended.

    Whoever asks again with the `key` gets the same again: a later attempt does. Raises Fenced.
    """
    key = key[:KEY_CHARACTERS]
    with transaction.atomic(durable=True):
        held = Run.objects.select_for_update(no_key=True).filter(
            pk=claim.run, fence=claim.fence, state=RunState.RUNNING, cancel_requested_at=None
        )
        if held.first() is None:
            raise Fenced
        rows = Steer.objects.filter(run=claim.run).order_by("posted_seq")
        if not (taken := list(rows.filter(consumed_by=key))) and (taken := list(rows.filter(consumed_by=None))):
            facts = [RunSteered(message=MessageId(row.message), consumed=True) for row in taken]
            log.append_as(claim, [*before, *facts])
            rows.filter(consumed_by=None).update(consumed_by=key)
        return [_steering(row) for row in taken]


def taken_steers(run_id: RunId) -> dict[str, list[Steering]]:
    """Returns what the Run has taken, by the keys under which it has, in the order of posting."""
    taken: dict[str, list[Steering]] = {}
    for row in Steer.objects.filter(run=run_id).exclude(consumed_by=None).order_by("posted_seq"):
        taken.setdefault(str(row.consumed_by), []).append(_steering(row))
    return taken


def has_left(run: Run) -> bool:
    """Returns whether Messages are left that the Run, whose row the caller has locked, has not taken."""
    return Steer.objects.filter(run=run, consumed_by=None).exists()


def pass_on(run: Run, outcome: RunOutcome, *, actor: Actor) -> None:
    """Requests a Run of its own for each Message that the Run, which ends now, has not taken. They are the next Messages, ahead
    of the queue and in the order of posting. Where the Run was stopped, or another one has the turn, they go to the end of the
    queue, which the Stop has paused. The caller has locked the Run's row, and appends the outcome.
    """
    others_turn = turn.holding(SessionId(run.session_id)).exclude(pk=run.pk).exists()
    queued = others_turn or isinstance(outcome, RunCancelled)
    for row in Steer.objects.filter(run=run, consumed_by=None).order_by("posted_seq"):
        _request(run, row, actor=actor, queued=queued)


def forget(run: Run) -> None:
    """Removes the Steers of a Run that has ended."""
    Steer.objects.filter(run=run).delete()


def _request(ended: Run, row: Steer, *, actor: Actor, queued: bool) -> None:
    session_id, message = SessionId(row.session_id), MessageId(row.message)
    parent = UNSET if queued else log.find_end(session_id)
    steered = RunSteered(message=message, consumed=False, queued=queued, parent=parent)
    log.append(session_id, [steered], actor=actor, run=RunId(ended.pk))
    requested = RunRequested(run=new_run(), agent=row.agent, parent=None, replies_to=message, queued=queued)
    span = log.append(session_id, [requested], actor=log.actor_of(session_id, row.posted_seq))
    run = Run.objects.create(
        id=requested.run,
        session_id=session_id,
        agent=row.agent,
        replies_to=message,
        asked_seq=span.end,
        requested_by_id=row.posted_by_id,
        queued=queued,
    )
    if queued:
        QueuedMessage.objects.create(
            message=message,
            session_id=session_id,
            run=run,
            parts=row.parts,
            posted_seq=row.posted_seq,
        )


def _steering(row: Steer) -> Steering:
    parts = convert(row.parts, list[Part])
    author = log.actor_of(SessionId(row.session_id), row.posted_seq)
    return Steering(message=MessageId(row.message), text="\n\n".join(part.text for part in parts), author=author)
