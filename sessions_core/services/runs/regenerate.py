"""Answers a Message anew: another answer beside the one that is there, on a branch of its own (docs/topics/branches.md)."""

from collections.abc import Sequence

from django.db import transaction

from sessions_core import log
from sessions_core.models import Run, Session
from sessions_core.protocol import run_states
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import BadField, NotFound, RunActive
from sessions_core.protocol.events import MessageStarted, RunRequested
from sessions_core.protocol.ids import ClientId, MessageId, SessionId
from sessions_core.services import access, dispatch
from sessions_core.services.access import Right
from sessions_core.services.runs import queue, turn
from sessions_core.services.runs.cancel import have_others_come, interrupt, lock_active
from sessions_core.services.runs.request import Requested, repeated, request


def regenerate(session_id: SessionId, *, by: Author, client_id: ClientId, message: MessageId) -> Requested:
    """Requests another answer in the place of the one that the agent's `message` is a part of, from the same agent. While another
    answer is being written the Session's policy decides: `queue` and `steer` let it wait in the queue, `interrupt` stops the
    other, `reject` refuses. Raises NotFound, ReadOnly, BadField, RunActive, LimitReached.
    """
    access.check_known(session_id, by=by, client_id=client_id)
    while (requested := _try(session_id, by, client_id, message)) is None:
        pass
    return requested


def _try(session_id: SessionId, by: Author, client_id: ClientId, message: MessageId) -> Requested | None:
    """Returns None, and changes nothing, when there are Runs to be stopped that were requested meanwhile."""
    with transaction.atomic(durable=True):
        # Runs before the Session: that is the lock order.
        interrupts = Session.objects.filter(pk=session_id, policy="interrupt").exists()
        locked = lock_active(session_id) if interrupts else []
        session, first = access.begin_once(session_id, by=by, right=Right.WRITE, client_id=client_id, kind=RunRequested)
        if first is not None:
            return repeated(*first, is_retry=False)
        started = _find(session_id, message)
        queued = turn.holds_turn(session_id) or queue.goes_on(session)
        if queued and session.policy in {"interrupt", "reject"}:
            if not _make_way(session, locked, by):
                return None
            queued = False
        return request(
            session_id,
            [],
            by=by,
            agent=dispatch.agent_or_default(started.agent),
            replies_to=started.parent,
            client_id=client_id,
            queued=queued,
        )


def _find(session_id: SessionId, message: MessageId) -> MessageStarted:
    """Returns the beginning of the agent's Message."""
    try:
        said = log.find_said(session_id, message)
    except LookupError:
        raise NotFound("There is no such message in this conversation.") from None
    if said is None:
        raise BadField("A person has written this message. Name the answer to it; or post it anew, to its `parent`.")
    run = Run.objects.filter(pk=said.run).values("state", "parent_id").first()
    if run and run["parent_id"] is not None:
        raise BadField("This message is a part of another answer. Name a message of that one.")
    if run and run["state"] in run_states.ACTIVE:
        raise RunActive("The agent still works on this answer. Wait until it has ended, or stop it first.")
    return said.started


def _make_way(session: Session, locked: Sequence[Run], by: Author) -> bool:
    """Stops the answer that is being written. Returns False when there is one that is not locked. Raises RunActive where the
    policy says so.
    """
    if session.policy == "reject":
        raise RunActive
    session_id = SessionId(session.pk)
    if have_others_come(session_id, locked):
        return False
    interrupt(session_id, locked, by=by)
    return True
