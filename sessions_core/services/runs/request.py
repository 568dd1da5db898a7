"""Requests Runs: for a posted Message, or again for an answer that did not complete."""

from collections.abc import Sequence
from functools import partial

from django.conf import settings
from django.db import transaction
from msgspec import UNSET, Struct

from sessions_core import log
from sessions_core.models import Run
from sessions_core.protocol import run_states
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import BadField, Conflict, LimitReached, NotFound
from sessions_core.protocol.events import Fact, RunRequested
from sessions_core.protocol.ids import ClientId, MessageId, RunId, SessionId, new_run
from sessions_core.protocol.run_states import RunState
from sessions_core.services import access, dispatch
from sessions_core.services.access import Right


class Requested(Struct, frozen=True):
    """A requested Run, and the seq of the command's first Event. `repeated`: the same command was carried out before."""

    seq: int
    run: RunId
    repeated: bool = False


def request(
    session_id: SessionId,
    before: Sequence[Fact],
    *,
    by: Author,
    agent: str,
    replies_to: MessageId | None,
    client_id: ClientId | None,
    queued: bool = False,
    retry_of: RunId | None = None,
) -> Requested:
    """Appends the facts `before` and `run.requested` together, and wakes a worker after the commit. The caller has opened a
    transaction and locked the Session's row (`access.begin`). `queued`: it waits in the queue. `retry_of`: the first Run of the
    answer that it tries again. Raises LimitReached.
    """
    _check_room(session_id)
    run = new_run()
    requested = RunRequested(
        run=run, agent=agent, parent=None, replies_to=replies_to, queued=queued, retry_of=retry_of or UNSET
    )
    facts = [*before, requested]
    span = log.append(session_id, facts, actor=by.actor, client_id=client_id)
    Run.objects.create(
        id=run,
        session_id=session_id,
        agent=agent,
        replies_to=replies_to,
        asked_seq=span.end,
        requested_by_id=by.user,
        queued=queued,
        retry_of=retry_of,
    )
    transaction.on_commit(partial(dispatch.dispatcher().wake, session_id, run, agent), robust=True)
    return Requested(seq=span.start + 1, run=run)


def retry(session_id: SessionId, *, by: Author, client_id: ClientId, run_id: RunId) -> Requested:
    """Requests a Run of the same agent for the Message of a Run that did not complete. Raises NotFound, ReadOnly, Conflict,
    LimitReached.
    """
    with transaction.atomic(durable=True):
        _, first = access.begin_once(session_id, by=by, right=Right.WRITE, client_id=client_id, kind=RunRequested)
        if first is not None:
            return repeated(*first, is_retry=True)
        run = Run.objects.filter(session_id=session_id, pk=run_id).first()
        if run is None:
            raise NotFound("There is no such answer in this conversation.")
        if run.state not in run_states.RETRIABLE:
            raise Conflict("Only an answer that failed or was stopped can be tried again.")
        replies_to = MessageId(run.replies_to) if run.replies_to else None
        agent = dispatch.agent_or_default(run.agent)
        return request(
            session_id,
            [],
            by=by,
            agent=agent,
            replies_to=replies_to,
            client_id=client_id,
            retry_of=RunId(run.retry_of or run.pk),
        )


def repeated(seq: int, fact: RunRequested, *, is_retry: bool) -> Requested:
    """Returns what the command has requested the first time. Raises BadField when it was another kind of command."""
    if (fact.retry_of is not UNSET) != is_retry:
        raise BadField("That id was used for another command already.")
    return Requested(seq=seq, run=fact.run, repeated=True)


def _check_room(session_id: SessionId) -> None:
    waiting = Run.objects.filter(session_id=session_id, state=RunState.REQUESTED)
    if waiting[: settings.WAITING_RUNS].count() >= settings.WAITING_RUNS:
        raise LimitReached(
            f"{settings.WAITING_RUNS} messages of this conversation wait for their answers, and no more may. Send this one when"
            " one of them is answered, or stop what you do not need."
        )
