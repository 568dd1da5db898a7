"""What people do with the queue of a Session: they edit a Message that waits in it, take it back, and let a paused queue go on.
Everybody who may write may do so.
"""

from collections.abc import Sequence

from django.db import transaction
from msgspec import Struct, to_builtins

from sessions_core import log
from sessions_core.models import QueuedMessage, Run
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import Conflict, NotQueued
from sessions_core.protocol.events import SYSTEM, MessageDequeued, MessageQueuedEdited, Part, QueueResumed, RunCancelled
from sessions_core.protocol.ids import ClientId, MessageId, SessionId
from sessions_core.services import access
from sessions_core.services.access import Right
from sessions_core.services.runs import queue
from sessions_core.services.runs.end import end_run


class QueueChanged(Struct, frozen=True):
    """The seq of the Event that a command on the queue has appended. `repeated`: it was carried out before."""

    seq: int
    repeated: bool = False


def edit_queued(
    session_id: SessionId, *, by: Author, client_id: ClientId, message: MessageId, parts: Sequence[Part]
) -> QueueChanged:
    """Replaces the text of a queued Message. Raises NotFound, ReadOnly, NotQueued. The caller has checked the `parts`."""
    with transaction.atomic(durable=True):
        _, first = access.begin_once(
            session_id, by=by, right=Right.WRITE, client_id=client_id, kind=MessageQueuedEdited
        )
        if first is not None:
            return QueueChanged(seq=first[0], repeated=True)
        found = QueuedMessage.objects.filter(session_id=session_id, message=message)
        if not found.update(parts=to_builtins(parts)):
            raise NotQueued
        fact = MessageQueuedEdited(message=message, parts=tuple(parts))
        return QueueChanged(seq=log.append(session_id, [fact], actor=by.actor, client_id=client_id).end)


def withdraw(session_id: SessionId, *, by: Author, client_id: ClientId, message: MessageId) -> QueueChanged:
    """Takes a queued Message back; its Run ends cancelled. Raises NotFound, ReadOnly, NotQueued."""
    access.check_known(session_id, by=by, client_id=client_id)
    with transaction.atomic(durable=True):
        found = QueuedMessage.objects.filter(session_id=session_id, message=message)
        run = Run.objects.select_for_update().filter(pk__in=found.values("run_id")).first()
        _, first = access.begin_once(session_id, by=by, right=Right.WRITE, client_id=client_id, kind=MessageDequeued)
        if first is not None:
            return QueueChanged(seq=first[0], repeated=True)
        if run is None or not run.queued:
            raise NotQueued
        seq = queue.append_withdrawn(session_id, run, by=by, client_id=client_id)
        assert seq is not None  # the Run was found by its Message, and is locked
        end_run(run, RunCancelled(), actor=SYSTEM)
        return QueueChanged(seq=seq)


def resume_queue(session_id: SessionId, *, by: Author, client_id: ClientId) -> QueueChanged:
    """Lets a paused queue go on. Raises NotFound, ReadOnly, Conflict."""
    with transaction.atomic(durable=True):
        session, first = access.begin_once(session_id, by=by, right=Right.WRITE, client_id=client_id, kind=QueueResumed)
        if first is not None:
            return QueueChanged(seq=first[0], repeated=True)
        if session.queue_paused_seq is None:
            raise Conflict("The queue is not paused.")
        return QueueChanged(seq=queue.resume(session_id, by=by, client_id=client_id))
