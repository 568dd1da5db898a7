"""Posts the Messages of people, each with the Run that answers it, in one transaction and once per client id (P4, P5)."""

from collections.abc import Sequence
from typing import Final

from django.db import transaction
from msgspec import Struct

from sessions_core import log
from sessions_core.models import Run, Session
from sessions_core.protocol import text
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import BadField, NotSupported, RunActive
from sessions_core.protocol.events import Fact, MessagePosted, Part, SessionRenamed
from sessions_core.protocol.ids import ClientId, MessageId, RunId, SessionId, new_message
from sessions_core.services import access, dispatch, runs
from sessions_core.services.access import Right

MESSAGE_CHARACTERS: Final = 32_000  # code points of one posted Message; the frame limit leaves room for escapes
MESSAGE_PARTS: Final = 100
TITLE_LENGTH: Final = 60  # code points of a title made from the first Message


class Posted(Struct, frozen=True):
    """The Message and the Run of a post, and the seq of its first Event. `repeated`: the same command was carried out before."""

    seq: int
    message: MessageId
    run: RunId
    repeated: bool = False


def post(
    session_id: SessionId,
    *,
    by: Author,
    client_id: ClientId,
    parts: Sequence[Part],
    parent: MessageId | None = None,
    agent: str | None = None,
    policy: str | None = None,
) -> Posted:
    """Posts a Message. Raises NotFound, ReadOnly, BadField, TooLarge, NoSuchAgent, RunActive, LimitReached, NotSupported."""
    with transaction.atomic(durable=True):
        session, first = access.begin_once(
            session_id, by=by, right=Right.WRITE, client_id=client_id, kind=MessagePosted
        )
        if first is not None:
            return _posted_before(session_id, *first)
        parts = _checked_parts(parts)
        _follow_policy(session_id, policy or session.policy)
        fact = MessagePosted(
            message=new_message(),
            parent=_parent(session_id, parent),
            role="user",
            parts=parts,
            client_id=client_id,
            state="sent",
            device=by.device_text,
        )
        facts: list[Fact] = [fact, *_first_title(session, parts)]
        requested = runs.request(
            session_id,
            facts,
            by=by,
            agent=dispatch.get_agent(agent) if agent else dispatch.agent_or_default(session.agent),
            replies_to=fact.message,
            client_id=client_id,
        )
    return Posted(seq=requested.seq, message=fact.message, run=requested.run)


def _checked_parts(parts: Sequence[Part]) -> tuple[Part, ...]:
    if not any(text.is_visible(part.text) for part in parts):
        raise BadField("An empty message cannot be sent.")
    if len(parts) > MESSAGE_PARTS:
        raise BadField(f"The message has {len(parts):,} parts; at most {MESSAGE_PARTS} are possible.")
    if any(part.type != "text" for part in parts):
        raise BadField("A message is made of text parts.")
    text.check("".join(part.text for part in parts), what="The message", limit=MESSAGE_CHARACTERS)
    return tuple(parts)


def check_policy(policy: str) -> None:
    """Raises NotSupported for the policies that need steering."""
    if policy in {"steer", "interrupt"}:
        raise NotSupported("Steering and interrupting are not offered yet: use the policy “queue” or “reject”.")


def _follow_policy(session_id: SessionId, policy: str) -> None:
    check_policy(policy)
    if policy == "reject" and runs.has_active(session_id):
        raise RunActive


def _parent(session_id: SessionId, parent: MessageId | None) -> MessageId | None:
    if parent is None:
        return log.find_newest_message(session_id)
    if not log.has_message(session_id, parent):
        raise BadField("The parent is no message of this conversation.")
    return parent


def _first_title(session: Session, parts: tuple[Part, ...]) -> list[Fact]:
    """Names a Session without a title after its first Message."""
    if session.title:
        return []
    line = " ".join(" ".join(part.text for part in parts).split())
    title = text.shorten(line, TITLE_LENGTH)
    Session.objects.filter(pk=session.pk).update(title=title)
    return [SessionRenamed(title=title)]


def _posted_before(session_id: SessionId, seq: int, fact: MessagePosted) -> Posted:
    """Its Run was requested by the next Event, or by the one after it where the Session got its title from this Message."""
    run = Run.objects.get(session_id=session_id, asked_seq__in=(seq + 1, seq + 2))
    return Posted(seq=seq, message=fact.message, run=RunId(run.pk), repeated=True)
