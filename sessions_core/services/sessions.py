"""Sessions and who takes part: created, listed, renamed, archived, configured, deleted. `messages` and `runs` do the talking."""

from datetime import datetime
from functools import partial
from typing import Final, cast
from uuid import uuid5

from django.db import transaction
from django.db.models import Q, QuerySet, Subquery, Value
from django.db.models.functions import Greatest, Least, Now
from msgspec import Struct

from sessions_core import hints, log
from sessions_core.models import Participant, Run, Session
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import BadField
from sessions_core.protocol.events import (
    Fact,
    ParticipantJoined,
    Role,
    SessionArchived,
    SessionConfigured,
    SessionCreated,
    SessionRenamed,
    SessionRestored,
)
from sessions_core.protocol.ids import ClientId, SessionId, UserId, new_session
from sessions_core.protocol.text import clean
from sessions_core.services import access, dispatch
from sessions_core.services.messages import check_policy
from sessions_core.services.runs import lock_session, running

TITLE_LIMIT: Final = 200
_POLICIES: Final = frozenset(Session.Policy.values)


class Listed(Struct, frozen=True):
    """One Session as one participant sees it in a list."""

    id: SessionId
    title: str
    agent: str
    policy: str
    role: Role
    epoch: int
    head: int
    read_seq: int
    created_at: datetime
    active_at: datetime
    archived_at: datetime | None
    running: bool

    @property
    def unread(self) -> bool:
        return self.read_seq < self.head


def create(
    *, by: Author, title: str = "", agent: str = "", policy: str = "queue", client_id: ClientId | None = None
) -> SessionId:
    """Makes a Session that `by` owns; with a client id, one only however often it is asked for (P5). Raises BadField,
    TooLarge, NoSuchAgent.
    """
    title = _title(title)
    # Made from who asks and the client id, so that a repeat meets the first one's key.
    made = SessionId(uuid5(client_id, str(by.user))) if client_id else new_session()
    facts: list[Fact] = [
        SessionCreated(title=title, agent=dispatch.known(agent), policy=_policy(policy)),
        ParticipantJoined(user=str(by.user), name=by.name, role="owner"),
    ]
    with transaction.atomic(durable=True):
        new = {"title": title, "agent": dispatch.known(agent), "policy": policy}
        _, is_new = Session.objects.get_or_create(pk=made, defaults=new)
        if is_new:
            Participant.objects.create(session_id=made, user_id=by.user, role="owner", read_seq=len(facts))
            log.append(made, facts, actor=by.actor)
    return made


def get(session_id: SessionId, *, user: UserId) -> Listed:
    """One of the user's Sessions. Raises NotFound."""
    access.member(session_id, user=user)
    return _listed(_of(user).filter(session_id=session_id))[0]


def listing(
    *,
    user: UserId,
    search: str = "",
    before: datetime | None = None,
    before_id: SessionId | None = None,
    limit: int = 50,
) -> list[Listed]:
    """The user's Sessions, newest activity first; `before` goes on from the last one's `active_at`, and `before_id` from its
    id, because two may have spoken in the same millisecond.
    """
    mine = _of(user)
    if search:
        mine = mine.filter(session__title__icontains=search.replace("\x00", ""))
    if before:
        earlier = Q(session__active_at__lt=before)
        if before_id:
            earlier |= Q(session__active_at=before, session_id__lt=before_id)
        mine = mine.filter(earlier)
    return _listed(mine.order_by("-session__active_at", "-session_id")[:limit])


def mark_read(session_id: SessionId, *, user: UserId, seq: int) -> None:
    """Moves the user's read mark forward, never back and never above the head. Raises NotFound."""
    access.member(session_id, user=user)
    head = Session.objects.filter(pk=session_id).values("head")
    mine = Participant.objects.filter(session_id=session_id, user_id=user, read_seq__lt=seq)
    mine.update(read_seq=Greatest("read_seq", Least(Value(seq), Subquery(head))))


def rename(session_id: SessionId, *, by: Author, title: str) -> None:
    """Raises NotFound, ReadOnly, BadField, TooLarge."""
    access.editor(session_id, user=by.user)
    title = _title(title)
    if not title:
        raise BadField("A conversation needs a title.")
    _change(session_id, SessionRenamed(title=title), by=by, title=title)


def archive(session_id: SessionId, *, by: Author) -> None:
    """Ends the Session: it can be read, and restored, but not written to. Raises NotFound, ReadOnly."""
    access.editor(session_id, user=by.user)
    _change(session_id, SessionArchived(), by=by, archived_at=Now())


def restore(session_id: SessionId, *, by: Author) -> None:
    """Opens an archived Session again. Raises NotFound, ReadOnly."""
    access.editor(session_id, user=by.user)
    _change(session_id, SessionRestored(), by=by, archived_at=None)


def configure(session_id: SessionId, *, by: Author, agent: str | None = None, policy: str | None = None) -> None:
    """Sets who answers, and what a post does while an answer is being written. Raises NotFound, ReadOnly, NoSuchAgent,
    BadField.
    """
    access.writer(session_id, user=by.user)
    with transaction.atomic(durable=True):
        session = lock_session(session_id)
        agent = dispatch.known(agent) if agent else session.agent
        policy = _policy(policy or session.policy)
        Session.objects.filter(pk=session_id).update(agent=agent, policy=policy)
        _said(session_id, SessionConfigured(agent=agent, policy=policy), by=by)


def delete(session_id: SessionId, *, by: Author) -> None:
    """Deletes the Session with its log, for all. Raises NotFound, Forbidden."""
    access.owner(session_id, user=by.user)
    purge(session_id)


def purge(session_id: SessionId) -> None:
    """Deletes the Session with its log, whoever asks: for the staff, and below `delete`."""
    while not _purged(session_id):
        pass


def _purged(session_id: SessionId) -> bool:
    """False: somebody posted meanwhile, and nothing was deleted."""
    with transaction.atomic(durable=True):
        users = list(Participant.objects.filter(session_id=session_id).values_list("user_id", flat=True))
        # Runs before the Session: that is the lock order, and a writing Run ends here as fenced out.
        Run.objects.filter(session_id=session_id).delete()
        # From here on nobody appends. Without the lock an Event could be left behind, and a Run would break the deletion.
        mine = Session.objects.filter(pk=session_id)
        mine.select_for_update().first()
        if Run.objects.filter(session_id=session_id).exists():
            transaction.set_rollback(True)
            return False
        mine.delete()
        for user in users:
            transaction.on_commit(partial(hints.signal_access, UserId(user), session_id), robust=True)
    return True


def _change(session_id: SessionId, fact: Fact, *, by: Author, **columns: object) -> None:
    with transaction.atomic(durable=True):
        Session.objects.filter(pk=session_id).update(**columns)
        _said(session_id, fact, by=by)


def _said(session_id: SessionId, fact: Fact, *, by: Author) -> None:
    """Appends it. Who had read everything has read this, too: it was their own doing."""
    span = log.append(session_id, [fact], actor=by.actor)
    mine = Participant.objects.filter(session_id=session_id, user_id=by.user, read_seq=span.start)
    mine.update(read_seq=span.end)


def _title(title: str) -> str:
    return clean(" ".join(title.split()), what="The title", limit=TITLE_LIMIT)


def _policy(policy: str) -> str:
    if policy not in _POLICIES:
        raise BadField(f"A policy is one of: {', '.join(sorted(_POLICIES))}.")
    check_policy(policy)
    return policy


def _of(user: UserId) -> QuerySet[Participant]:
    return Participant.objects.filter(user_id=user).select_related("session")


def _listed(mine: QuerySet[Participant]) -> list[Listed]:
    rows = list(mine)
    at_work = running([SessionId(row.session_id) for row in rows])
    return [
        Listed(
            id=SessionId(row.session_id),
            title=row.session.title,
            agent=row.session.agent,
            policy=row.session.policy,
            role=cast("Role", row.role),
            epoch=row.session.epoch,
            head=row.session.head,
            read_seq=row.read_seq,
            created_at=row.session.created_at,
            active_at=row.session.active_at,
            archived_at=row.session.archived_at,
            running=row.session_id in at_work,
        )
        for row in rows
    ]
