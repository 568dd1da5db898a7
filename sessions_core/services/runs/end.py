"""Ends Runs: closes what is open, the Messages and the tool calls, and appends the outcome, in one transaction."""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final

import msgspec
from django.db import transaction
from django.db.models.functions import Now
from msgspec import UNSET

from sessions_core import log
from sessions_core.models import Run
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import Fenced
from sessions_core.protocol.events import (
    SYSTEM,
    Actor,
    Fact,
    MessageCompleted,
    MessageOutcome,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunInterrupted,
    RunOutcome,
    ToolCalled,
    ToolFailed,
    Usage,
)
from sessions_core.protocol.ids import MessageId, RunId, SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.protocol.spent import Spent
from sessions_core.services import asks, failures
from sessions_core.services.runs import queue, spending, steer, turn

logger = logging.getLogger(__name__)

_UNWRITABLE: Final = RunInterrupted(reason="Its end could not be written down. The server's log says why.")
_ERROR_CHARACTERS: Final = 500  # as the columns have
_CODE_CHARACTERS: Final = 64
_CLASS_CHARACTERS: Final = 200
CUT_OFF: Final = "The answer ended during this call, so nobody knows whether it was carried out."
NOTHING_USED: Final[Mapping[MessageId, Usage]] = MappingProxyType({})


def finish(
    claim: Claim,
    outcome: RunOutcome,
    *,
    used: Mapping[MessageId, Usage] = NOTHING_USED,
    spent: Spent | None = None,
    exception_class: str = "",
) -> None:
    """Ends the Run: completes its open Messages from their deltas, with the usage in `used`, and appends the outcome. A Run
    whose cancellation was requested ends cancelled, whatever its outcome. `exception_class`: what its agent raised. Raises
    Fenced.
    """
    with transaction.atomic(durable=True):
        run = Run.objects.select_for_update().filter(pk=claim.run, fence=claim.fence, state=RunState.RUNNING).first()
        if run is None:
            raise Fenced
        spending.note(run, spent)
        run.exception_class = exception_class
        end_run(run, RunCancelled() if run.cancel_requested_at else outcome, actor=claim.actor, used=used)


def end_run(run: Run, outcome: RunOutcome, *, actor: Actor, used: Mapping[MessageId, Usage] = NOTHING_USED) -> None:
    """Moves a Run, whose row the caller has locked, to a terminal state.

    When the end cannot be written, the Run ends interrupted, without its open Messages, and the error is logged. It would
    otherwise stay active for ever, and block its Session.
    """
    try:
        with transaction.atomic():
            _write_end(run, outcome, actor, used)
    except Exception as error:
        if failures.is_outage(error):
            raise  # the caller tries again
        logger.exception("The end of the Run %s cannot be written. It ends without its open Messages.", run.pk)
        _append_end(run, outcome if isinstance(outcome, RunCancelled) else _UNWRITABLE, [], actor=SYSTEM)


def _write_end(run: Run, outcome: RunOutcome, actor: Actor, used: Mapping[MessageId, Usage]) -> None:
    session, run_id = SessionId(run.session_id), RunId(run.pk)
    _, message_state = _states(outcome)
    still_open = log.open_messages(session, run_id, after=run.attempt_seq) if run.attempt else []
    facts: list[Fact] = []
    if run.attempt:
        facts += [_cut_off(call) for call in log.open_calls(run_id, after=run.asked_seq)]
    facts += [
        MessageCompleted(message=message, parts=parts, state=message_state, usage=used.get(message, UNSET))
        for message, parts in still_open
    ]
    _append_end(run, outcome, facts, actor=actor)


def _cut_off(call: ToolCalled) -> ToolFailed:
    return ToolFailed(call=call.call, error=CUT_OFF, unknown=True, message=call.message, step=call.step)


def _append_end(run: Run, outcome: RunOutcome, facts: Sequence[Fact], *, actor: Actor) -> None:
    session = SessionId(run.session_id)
    state, _ = _states(outcome)
    if run.queued:
        queue.send(session, RunId(run.pk), run.agent)
    asks.close_of(run)
    if steer.has_left(run):
        log.append(session, facts, actor=actor, run=RunId(run.pk))
        steer.pass_on(run, outcome, actor=actor)
        facts = []
    usage = spending.of(run).usage or UNSET
    log.append(session, [*facts, msgspec.structs.replace(outcome, usage=usage)], actor=actor, run=RunId(run.pk))
    error = outcome.message if isinstance(outcome, RunFailed) else getattr(outcome, "reason", "")
    Run.objects.filter(pk=run.pk).update(
        state=state,
        queued=False,
        lease_until=None,
        waits_on="",
        waiting=None,
        resume_at=None,
        ended_at=Now(),
        error=error[:_ERROR_CHARACTERS],
        error_code=outcome.code[:_CODE_CHARACTERS] if isinstance(outcome, RunFailed) else "",
        exception_class=run.exception_class[:_CLASS_CHARACTERS] if isinstance(outcome, RunFailed) else "",
    )
    steer.forget(run)
    _settle_queue(run, outcome)
    transaction.on_commit(partial(queue.wake_next, session), robust=True)


def _settle_queue(run: Run, outcome: RunOutcome) -> None:
    """Pauses the queue after an answer that failed; lets it go on after one that was asked for since the pause, and when its last
    Message has left it.
    """
    session = SessionId(run.session_id)
    match outcome:
        case RunFailed() | RunInterrupted() if run.queued or turn.holds(run):
            queue.pause(session, RunId(run.pk), "failed")
        case RunCompleted() if run.parent_id is None:
            queue.resume_after(run)
        case _:
            pass  # the cancel has paused it, unless a Message goes ahead
    if run.queued:
        queue.resume_if_empty(session)


def _states(outcome: RunOutcome) -> tuple[RunState, MessageOutcome]:
    match outcome:
        case RunCompleted():
            return RunState.COMPLETED, "complete"
        case RunCancelled():
            return RunState.CANCELLED, "cancelled"
        case RunFailed():
            return RunState.FAILED, "failed"
        case RunInterrupted():
            return RunState.INTERRUPTED, "interrupted"
