"""Sessions and their participants: creating, listing, renaming, archiving and configuring them."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from django.db import connection, transaction
from django.db.models import Subquery, Value
from django.db.models.functions import Greatest, Least, Now
from msgspec import Struct

from sessions_core import log
from sessions_core.models import Participant, Session
from sessions_core.protocol import run_states, text
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import BadField, NotFound
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
from sessions_core.protocol.frames import POLICIES
from sessions_core.protocol.ids import ClientId, SessionId, UserId, new_session
from sessions_core.services import access, dispatch
from sessions_core.services.access import Right

TITLE_CHARACTERS: Final = 200
_POLICIES: Final = frozenset(POLICIES)
# OFFSET 0 keeps one look-up for each Session. Otherwise PostgreSQL may walk through the newest Sessions of everybody
# until it has met enough of this user's: 1.7 s for somebody whose Sessions are old.
_LISTED: Final = f"""
    SELECT session.id, title, agent, policy, role, epoch, head, read_seq, created_at, active_at, archived_at,
           EXISTS (SELECT 1 FROM run WHERE run.session_id = session.id AND run.state IN ({run_states.sql(run_states.ACTIVE)}))
    FROM participant CROSS JOIN LATERAL (SELECT * FROM session WHERE id = participant.session_id OFFSET 0) session
    WHERE user_id = %(user)s
"""
_ONE: Final = f"{_LISTED} AND participant.session_id = %(session)s"
_PAGE: Final = f"""
    {_LISTED} AND strpos(upper(title), upper(%(search)s)) > 0
    AND (%(before)s::timestamptz IS NULL OR (active_at, session.id) < (%(before)s, %(before_id)s))
    ORDER BY active_at DESC, session.id DESC LIMIT %(limit)s
"""


class SessionSummary(Struct, frozen=True):
    """One Session as one participant sees it; `role`, `read_seq` and `unread` are that participant's."""

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
    """Creates a Session that `by` owns; with a client id only once, however often it is repeated (P5). Raises BadField,
    TooLarge, NoSuchAgent.
    """
    title, agent, policy = _checked_title(title), dispatch.get_agent(agent), _checked_policy(policy)
    # The id is derived from the user and the client id, so that a repeat finds the row of the first command.
    session = SessionId(uuid5(client_id, str(by.user))) if client_id else new_session()
    facts: list[Fact] = [
        SessionCreated(title=title, agent=agent, policy=policy),
        ParticipantJoined(user=str(by.user), name=by.name, role="owner"),
    ]
    with transaction.atomic(durable=True):
        columns = {"title": title, "agent": agent, "policy": policy}
        _, is_new = Session.objects.get_or_create(pk=session, defaults=columns)
        if is_new:
            Participant.objects.create(session_id=session, user_id=by.user, role="owner", read_seq=len(facts))
            log.append(session, facts, actor=by.actor)
    return session


def get(session_id: SessionId, *, user: UserId) -> SessionSummary:
    """Returns one of the user's Sessions. Raises NotFound."""
    found = _summaries(_ONE, session=session_id, user=user)
    if not found:
        raise NotFound("There is no such conversation.")
    return found[0]


def listing(
    *,
    user: UserId,
    search: str = "",
    before: datetime | None = None,
    before_id: SessionId | None = None,
    limit: int = 50,
) -> list[SessionSummary]:
    """Returns the user's Sessions, newest activity first. The next page begins after `before` and `before_id`, the `active_at`
    and the id of the last Session of this page: two Sessions may have the same `active_at`.
    """
    return _summaries(
        _PAGE,
        user=user,
        search=search.replace("\x00", ""),
        before=before,
        before_id=before_id or UUID(int=0),
        limit=limit,
    )


def mark_read(session_id: SessionId, *, user: UserId, seq: int) -> None:
    """Moves the user's read mark forward, never back and never above the head. Raises NotFound."""
    access.member(session_id, user=user)
    head = Session.objects.filter(pk=session_id).values("head")
    mine = Participant.objects.filter(session_id=session_id, user_id=user, read_seq__lt=seq)
    mine.update(read_seq=Greatest("read_seq", Least(Value(seq), Subquery(head))))


def rename(session_id: SessionId, *, by: Author, title: str) -> None:
    """Gives the Session another title. Raises NotFound, ReadOnly, BadField, TooLarge."""
    title = _checked_title(title)
    if not title:
        raise BadField("A conversation needs a title.")
    _change(session_id, SessionRenamed(title=title), by=by, title=title)


def archive(session_id: SessionId, *, by: Author) -> None:
    """Archives the Session: it can be read and restored, but not written to. Raises NotFound, ReadOnly."""
    _change(session_id, SessionArchived(), by=by, archived_at=Now())


def restore(session_id: SessionId, *, by: Author) -> None:
    """Makes an archived Session writable again. Raises NotFound, ReadOnly."""
    _change(session_id, SessionRestored(), by=by, archived_at=None)


def configure(session_id: SessionId, *, by: Author, agent: str | None = None, policy: str | None = None) -> None:
    """Sets the agent that answers, and the policy for a post while a Run is active. Raises NotFound, ReadOnly, NoSuchAgent,
    BadField.
    """
    with transaction.atomic(durable=True):
        session = access.begin(session_id, by=by, right=Right.WRITE)
        agent = dispatch.get_agent(agent) if agent else session.agent
        policy = _checked_policy(policy or session.policy)
        Session.objects.filter(pk=session_id).update(agent=agent, policy=policy)
        _append(session_id, SessionConfigured(agent=agent, policy=policy), by=by)


def _change(session_id: SessionId, fact: Fact, *, by: Author, **columns: object) -> None:
    with transaction.atomic(durable=True):
        access.begin(session_id, by=by, right=Right.EDIT)
        Session.objects.filter(pk=session_id).update(**columns)
        _append(session_id, fact, by=by)


def _append(session_id: SessionId, fact: Fact, *, by: Author) -> None:
    """Appends the fact. A user who had read up to the head has read this Event too, because it is their own."""
    span = log.append(session_id, [fact], actor=by.actor)
    mine = Participant.objects.filter(session_id=session_id, user_id=by.user, read_seq=span.start)
    mine.update(read_seq=span.end)


def _checked_title(title: str) -> str:
    if not text.is_visible(title):
        return ""
    return text.check(" ".join(title.split()), what="The title", limit=TITLE_CHARACTERS)


def _checked_policy(policy: str) -> str:
    if policy not in _POLICIES:
        raise BadField(f"A policy is one of: {', '.join(sorted(_POLICIES))}.")
    return policy


def _summaries(statement: str, **arguments: Any) -> list[SessionSummary]:  # noqa: ANN401  # what SQL takes
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        return [SessionSummary(*row) for row in cursor.fetchall()]
