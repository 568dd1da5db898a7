"""Posts the Messages of people, each with the Run that answers it, in one transaction and once per client id (P4, P5)."""

from collections.abc import Sequence
from typing import Final, assert_never, cast

from django.db import transaction
from msgspec import Struct, structs

from sessions_core import log
from sessions_core.models import Run, Session
from sessions_core.protocol import text
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import BadField, RunActive
from sessions_core.protocol.events import Fact, MessagePosted, Part, PostState, SessionRenamed
from sessions_core.protocol.frames import Policy
from sessions_core.protocol.ids import BEGINNING, ClientId, MessageId, RunId, SessionId, new_message
from sessions_core.services import access, asks, dispatch, runs
from sessions_core.services.access import Right

MESSAGE_CHARACTERS: Final = 32_000  # code points of one posted Message; the frame limit leaves room for escapes
MESSAGE_PARTS: Final = 100
TITLE_LENGTH: Final = 60  # code points of a title made from the first Message


class Posted(Struct, frozen=True):
    """The Message of a post, what became of it, the Run that answers it (none when it steers one), and the seq of its Event.
    `repeated`: the same command was carried out before.
    """

    seq: int
    message: MessageId
    outcome: PostState
    run: RunId | None
    repeated: bool = False


class _Post(Struct, frozen=True):
    """What `post` was given. `parent`: absent for the end of the active branch."""

    by: Author
    client_id: ClientId
    parts: tuple[Part, ...]
    parent: MessageId | None
    agent: str | None
    policy: Policy | None


def post(
    session_id: SessionId,
    *,
    by: Author,
    client_id: ClientId,
    parts: Sequence[Part],
    parent: MessageId | None = None,
    agent: str | None = None,
    policy: Policy | None = None,
) -> Posted:
    """Posts a Message. It follows the `parent`, or nothing at the BEGINNING; absent: the end of the active branch. What it does
    while an answer is being written is the `policy`'s matter; absent: the Session's. Raises NotFound, ReadOnly, BadField,
    TooLarge, NoSuchAgent, RunActive, LimitReached.
    """
    access.check_known(session_id, by=by, client_id=client_id)
    post = _Post(by=by, client_id=client_id, parts=tuple(parts), parent=parent, agent=agent, policy=policy)
    while (posted := _try(session_id, post)) is None:
        pass
    return posted


def _try(session_id: SessionId, post: _Post) -> Posted | None:
    """Returns None, and changes nothing, when the Message is for a Run that was requested meanwhile."""
    with transaction.atomic(durable=True):
        locked = _lock_runs(session_id, post)
        session, first = access.begin_once(
            session_id, by=post.by, right=Right.WRITE, client_id=post.client_id, kind=MessagePosted
        )
        if first is not None:
            return _posted_before(session_id, *first)
        post = structs.replace(post, parent=_branch(session_id, post.parent))
        posted = _place(session, post, check_parts(post.parts), locked)
        if posted is None:
            transaction.set_rollback(True)
        return posted


def _lock_runs(session_id: SessionId, post: _Post) -> list[Run]:
    """Locks the Runs that the Message may be for. Runs before the Session: that is the lock order."""
    match post.policy or _policy(session_id):
        case "interrupt":
            return runs.lock_active(session_id)
        case "steer":
            return runs.lock_steerable(session_id)
        case "queue":
            return runs.lock_asking(session_id)
        case _:
            return []


def _place(session: Session, post: _Post, parts: tuple[Part, ...], locked: Sequence[Run]) -> Posted | None:
    """Puts the Message where its policy wants it. Returns None when that takes a Run that is not locked."""
    session_id = SessionId(session.pk)
    if not (runs.holds_turn(session_id) or runs.goes_on(session)):
        return _append(session, post, parts, "sent")
    match cast("Policy", post.policy or session.policy):
        case "queue" | "steer" if post.parent is not None:  # on another branch than the Run at work
            return _append(session, post, parts, "queued")
        case "queue" | "steer" as policy:
            run = runs.find_steerable(session_id) if policy == "steer" else _asking(session_id, post.by)
            if run is not None and run not in locked:
                return None
            return _steer(session, run, post, parts) if run else _append(session, post, parts, "queued")
        case "reject":
            raise RunActive
        case "interrupt":
            if runs.have_others_come(session_id, locked):
                return None
            runs.interrupt(session_id, locked, by=post.by)
            return _append(session, post, parts, "sent")
        case policy:
            assert_never(policy)


def _asking(session_id: SessionId, by: Author) -> Run | None:
    """Returns the Run that waits for an answer which `by` may give: what is posted instead is for it."""
    return next((run for run in runs.asking(session_id) if asks.may_close(run, by)), None)


def _policy(session_id: SessionId) -> str | None:
    return Session.objects.filter(pk=session_id).values_list("policy", flat=True).first()


def _append(session: Session, post: _Post, parts: tuple[Part, ...], state: PostState) -> Posted:
    session_id = SessionId(session.pk)
    fact = _fact(session, post, parts, state)
    requested = runs.request(
        session_id,
        [fact, *_first_title(session, parts)],
        by=post.by,
        agent=_agent(session, post),
        replies_to=fact.message,
        client_id=post.client_id,
        queued=state == "queued",
    )
    if state == "queued":
        runs.add_queued(session_id, requested.run, fact, parent=post.parent, seq=requested.seq)
    return Posted(seq=requested.seq, message=fact.message, outcome=state, run=requested.run)


def _steer(session: Session, run: Run, post: _Post, parts: tuple[Part, ...]) -> Posted:
    """Gives the Message to the Run. One that asks goes on: the Message is there instead of an answer."""
    session_id = SessionId(session.pk)
    fact = _fact(session, post, parts, "steering")
    facts = [fact, *_first_title(session, parts)]
    seq = log.append(session_id, facts, actor=post.by.actor, client_id=post.client_id).start + 1
    runs.add_steer(run, fact, agent=_agent(session, post), by=post.by.user, seq=seq)
    asks.decline_by_message(run, fact.message, by=post.by)
    return Posted(seq=seq, message=fact.message, outcome="steering", run=None)


def _fact(session: Session, post: _Post, parts: tuple[Part, ...], state: PostState) -> MessagePosted:
    return MessagePosted(
        message=new_message(),
        parent=log.find_parent(SessionId(session.pk), post.parent),
        role="user",
        parts=parts,
        client_id=post.client_id,
        state=state,
        device=post.by.device_text,
    )


def _agent(session: Session, post: _Post) -> str:
    return dispatch.get_agent(post.agent) if post.agent else dispatch.agent_or_default(session.agent)


def check_parts(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Returns the parts of a Message that can be posted. Raises BadField, TooLarge."""
    if not any(text.is_visible(part.text) for part in parts):
        raise BadField("An empty message cannot be sent.")
    if len(parts) > MESSAGE_PARTS:
        raise BadField(f"The message has {len(parts):,} parts; at most {MESSAGE_PARTS} are possible.")
    if any(part.type != "text" for part in parts):
        raise BadField("A message is made of text parts.")
    text.check("".join(part.text for part in parts), what="The message", limit=MESSAGE_CHARACTERS)
    return tuple(parts)


def _branch(session_id: SessionId, parent: MessageId | None) -> MessageId | None:
    """Returns the parent that a post has named, or None when it is the end of the active branch, or what is being answered there:
    what waits follows the end that there is at its turn. Raises BadField.
    """
    if parent is None or parent == BEGINNING:
        return parent
    stands = log.stands(session_id, parent)
    if stands is None:
        raise BadField("The parent is no message of this conversation.")
    if not stands:
        raise BadField("Nothing can follow this parent: it still waits to be sent, was taken back, or has disappeared.")
    is_end = parent == log.find_end(session_id) or runs.is_being_answered(session_id, parent)
    return None if is_end else parent


def _first_title(session: Session, parts: tuple[Part, ...]) -> list[Fact]:
    """Names a Session without a title after its first Message."""
    if session.title:
        return []
    line = " ".join(" ".join(part.text for part in parts).split())
    title = text.shorten(line, TITLE_LENGTH)
    Session.objects.filter(pk=session.pk).update(title=title)
    return [SessionRenamed(title=title)]


def _posted_before(session_id: SessionId, seq: int, fact: MessagePosted) -> Posted:
    """Its Run was requested by the next Event, or by the one after it where the Session got its title from this Message; else
    that one may be of another Run. The post of a steering one has requested none.
    """
    if fact.state == "steering":
        return Posted(seq=seq, message=fact.message, outcome=fact.state, run=None, repeated=True)
    requested = Run.objects.filter(session_id=session_id, asked_seq__in=(seq + 1, seq + 2))
    run = requested.order_by("asked_seq")[0]
    return Posted(seq=seq, message=fact.message, outcome=fact.state, run=RunId(run.pk), repeated=True)


def edit_queued(
    session_id: SessionId, *, by: Author, client_id: ClientId, message: MessageId, parts: Sequence[Part]
) -> runs.QueueChanged:
    """Replaces the text of a queued Message. Raises NotFound, ReadOnly, BadField, TooLarge, NotQueued."""
    return runs.edit_queued(session_id, by=by, client_id=client_id, message=message, parts=check_parts(parts))
