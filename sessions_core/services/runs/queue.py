"""The queue of a Session: posted Messages that wait for their turn, in the order of posting, and Runs that answer earlier ones
anew. The only writer of QueuedMessage.

The queue is durable and shared. It is paused when an answer fails or is stopped: what was posted after it may have been meant for
that answer, so people decide. The callers hold the lock of the Session's row, except for `send`.
"""

from functools import partial
from typing import Literal

from django.db import transaction
from django.db.models import Q
from msgspec import convert, to_builtins

from sessions_core import log
from sessions_core.models import QueuedMessage, Run, Session, Steer
from sessions_core.protocol.author import Author
from sessions_core.protocol.events import SYSTEM, MessageDequeued, MessagePosted, Part, QueuePaused, QueueResumed
from sessions_core.protocol.ids import ClientId, MessageId, RunId, SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.services import dispatch


def add_queued(session_id: SessionId, run: RunId, posted: MessagePosted, *, parent: MessageId | None, seq: int) -> None:
    """Adds a Message that was posted at `seq`. Without a `parent` it follows the end of the active branch at its turn."""
    QueuedMessage.objects.create(
        message=posted.message,
        session_id=session_id,
        run_id=run,
        parent=parent,
        parts=to_builtins(posted.parts),
        posted_seq=seq,
    )


def send(session_id: SessionId, run_id: RunId, agent: str) -> None:
    """Puts the Message of a Run that begins or ends now into the conversation, in the name of its author, if it is still queued.
    Locks the Session's row first, so that nobody edits the Message meanwhile.
    """
    Session.objects.select_for_update(no_key=True).get(pk=session_id)
    queued = _remove(run_id)
    if queued is None:
        return
    parent = log.find_parent(session_id, MessageId(queued.parent) if queued.parent else None)
    parts = convert(queued.parts, tuple[Part, ...])
    fact = MessageDequeued(message=MessageId(queued.message), reason="sent", parent=parent, parts=parts, agent=agent)
    log.append(session_id, [fact], actor=log.actor_of(session_id, queued.posted_seq), run=run_id)


def append_withdrawn(session_id: SessionId, run: Run, *, by: Author, client_id: ClientId | None = None) -> int | None:
    """Removes the Message of a locked queued Run from the queue, and returns the seq of the Event; None for a Run without one,
    which answers an earlier Message anew.
    """
    queued = _remove(RunId(run.pk))
    if queued is None:
        return None
    fact = MessageDequeued(message=MessageId(queued.message), reason="withdrawn")
    return log.append(session_id, [fact], actor=by.actor, client_id=client_id).end


def pause(session_id: SessionId, run: RunId, reason: Literal["failed", "stopped"]) -> None:
    """Pauses the queue because of the Run, if Messages wait in it, or will when the Run has ended, and it is not paused yet."""
    running = Session.objects.filter(pk=session_id, queue_paused_seq=None)
    if (has_queued(session_id) or _has_steers(session_id)) and running.exists():
        span = log.append(session_id, [QueuePaused(reason=reason, run=run)], actor=SYSTEM)
        running.update(queue_paused_seq=span.end)


def resume(session_id: SessionId, *, by: Author | None = None, client_id: ClientId | None = None) -> int:
    """Lets the queue go on and wakes a worker. Returns the seq of the Event. `by` is absent when no person asked for it."""
    fact = QueueResumed(by=str(by.user)) if by else QueueResumed()
    span = log.append(session_id, [fact], actor=by.actor if by else SYSTEM, client_id=client_id)
    Session.objects.filter(pk=session_id).update(queue_paused_seq=None)
    transaction.on_commit(partial(wake_next, session_id), robust=True)
    return span.end


def resume_after(run: Run) -> None:
    """Lets the queue go on when a Run has completed that was requested since the pause: a later post, or a retry."""
    session_id = SessionId(run.session_id)
    if Session.objects.filter(pk=session_id, queue_paused_seq__lt=run.asked_seq).exists():
        resume(session_id)


def resume_if_empty(session_id: SessionId) -> None:
    """Ends the pause of a queue in which nothing waits any more."""
    if has_queued(session_id) or _has_steers(session_id):
        return
    if Session.objects.filter(pk=session_id, queue_paused_seq__isnull=False).exists():
        resume(session_id)


def _remove(run_id: RunId) -> QueuedMessage | None:
    found = QueuedMessage.objects.filter(run=run_id)
    queued = found.first()
    found.delete()
    return queued


def goes_on(session: Session) -> bool:
    """Returns whether somebody waits in the queue and is next."""
    return session.queue_paused_seq is None and has_queued(SessionId(session.pk))


def has_queued(session_id: SessionId) -> bool:
    """Returns whether a Message waits in the queue, or a Run that answers one anew."""
    return Run.objects.filter(session_id=session_id, state=RunState.REQUESTED, queued=True).exists()


def _has_steers(session_id: SessionId) -> bool:
    """Returns whether a Run has been given a Message that it has not taken."""
    return Steer.objects.filter(session_id=session_id, consumed_by=None).exists()


def wake_next(session_id: SessionId) -> None:
    """Wakes a worker for the Run that is next, if there is one."""
    requested = Run.objects.filter(session_id=session_id, state=RunState.REQUESTED, parent=None)
    may_begin = requested.filter(Q(queued=False) | Q(session__queue_paused_seq=None))
    if (run := may_begin.order_by("queued", "asked_seq").first()) is not None:
        dispatch.dispatcher().wake(session_id, RunId(run.pk), run.agent)
