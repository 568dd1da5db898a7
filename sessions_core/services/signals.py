"""Signals: facts from outside for a Run, which its agent waits for by name. The only writer of Signal."""

from typing import Any, Final

from django.db import transaction
from msgspec import Struct

from sessions_core import log
from sessions_core.models import Run, Signal
from sessions_core.protocol import run_states, text
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import Fenced, LimitReached, NotFound, RunEnded
from sessions_core.protocol.events import SignalReceived
from sessions_core.protocol.ids import ClientId, RunId, SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.services import access, answers, waiting
from sessions_core.services.access import Right

NAME_CHARACTERS: Final = 100
SIGNALS_OF_A_RUN: Final = 1000  # not taken yet


class Received(Struct, frozen=True):
    """The seq of the Event of a signal. `repeated`: the same command was carried out before."""

    seq: int
    repeated: bool = False


class Taken(Struct, frozen=True):
    """A signal that a Run has taken."""

    value: Any


def send(
    session_id: SessionId, run_id: RunId, name: str, *, by: Author, client_id: ClientId, value: object
) -> Received:
    """Sends a signal to a Run. It is kept until the Run takes it. Raises NotFound, ReadOnly, RunEnded, LimitReached, BadField."""
    access.check_known(session_id, by=by, client_id=client_id)
    name = text.check(name, what="The name of a signal", limit=NAME_CHARACTERS)
    answers.check_size(value)
    with transaction.atomic(durable=True):
        run = Run.objects.select_for_update().filter(session_id=session_id, pk=run_id).first()  # before the Session
        _, first = access.begin_once(session_id, by=by, right=Right.WRITE, client_id=client_id, kind=SignalReceived)
        if first is not None:
            return Received(seq=first[0], repeated=True)
        if run is None:
            raise NotFound("There is no such answer in this conversation.")
        if run.state in run_states.TERMINAL:
            raise RunEnded("This answer has ended and waits for nothing.")
        if Signal.objects.filter(run=run, consumed_by=None).count() >= SIGNALS_OF_A_RUN:
            raise LimitReached("So many signals wait for this answer that no more are taken.")
        fact = SignalReceived(name=name, value=value, by=str(by.user))
        span = log.append(session_id, [fact], actor=by.actor, run=run_id, client_id=client_id)
        Signal.objects.create(
            session_id=session_id, run=run, name=name, value=value, client_id=client_id, received_seq=span.end
        )
        waiting.resume_if_due(run_id)
        return Received(seq=span.end)


def take(claim: Claim, name: str, key: str) -> Taken | None:
    """Takes the earliest signal of that name for the key of a wait; the same one each time. Returns None when there is none.
    Raises Fenced.
    """
    with transaction.atomic(durable=True):
        run = Run.objects.select_for_update().filter(pk=claim.run, fence=claim.fence, state=RunState.RUNNING).first()
        if run is None:
            raise Fenced
        of_name = Signal.objects.filter(run=run, name=name).order_by("received_seq")
        found = of_name.filter(consumed_by=key).first() or of_name.filter(consumed_by=None).first()
        if found is None:
            return None
        Signal.objects.filter(pk=found.pk).update(consumed_by=key)
        return Taken(value=found.value)
