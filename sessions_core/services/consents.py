"""Consents: an agent may use a tool in a Session without asking, as a person has said once. The only writer of Consent."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from django.db import transaction
from django.db.models.functions import Now
from msgspec import Struct

from sessions_core import log
from sessions_core.models import Ask, Consent, Run
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import NotFound
from sessions_core.protocol.events import ConsentGranted, ConsentRevoked
from sessions_core.protocol.ids import ClientId, SessionId, UserId
from sessions_core.services import access
from sessions_core.services.access import Right


class Revoked(Struct, frozen=True):
    """The seq of the Event that a revocation has appended. `repeated`: the same command was carried out before."""

    seq: int
    repeated: bool = False


def remember(ask: Ask, value: object, *, by: Author) -> None:
    """Grants the consent that an approval asks for. The caller has locked the Session's row."""
    if not (isinstance(value, dict) and value.get("approve") and value.get("remember") and ask.tool):
        return
    agent = Run.objects.values_list("agent", flat=True).get(pk=ask.run_id)
    session_id = SessionId(ask.session_id)
    if is_granted(session_id, agent, ask.tool, ask.schema):
        return
    Consent.objects.update_or_create(
        session_id=session_id,
        agent=agent,
        tool=ask.tool,
        defaults={"digest": digest(ask.schema), "granted_by_id": by.user, "granted_at": Now()},
    )
    log.append(session_id, [ConsentGranted(tool=ask.tool, agent=agent, by=str(by.user))], actor=by.actor)


def is_granted(session_id: SessionId, agent: str, tool: str, schema: Mapping[str, Any]) -> bool:
    """Returns whether the agent may use the tool, as long as it has this schema."""
    return Consent.objects.filter(session_id=session_id, agent=agent, tool=tool, digest=digest(schema)).exists()


def of_session(session_id: SessionId, *, user: UserId) -> Sequence[Consent]:
    """Returns what is granted in the Session. Raises NotFound."""
    access.member(session_id, user=user)
    return list(Consent.objects.filter(session_id=session_id).order_by("granted_at").select_related("granted_by"))


def revoke(session_id: SessionId, *, by: Author, client_id: ClientId, agent: str, tool: str) -> Revoked:
    """Takes a consent back. Raises NotFound, ReadOnly."""
    with transaction.atomic(durable=True):
        _, first = access.begin_once(session_id, by=by, right=Right.EDIT, client_id=client_id, kind=ConsentRevoked)
        if first is not None:
            return Revoked(seq=first[0], repeated=True)
        deleted, _ = Consent.objects.filter(session_id=session_id, agent=agent, tool=tool).delete()
        if not deleted:
            raise NotFound("There is no such consent in this conversation.")
        fact = ConsentRevoked(tool=tool, agent=agent, by=str(by.user))
        return Revoked(seq=log.append(session_id, [fact], actor=by.actor, client_id=client_id).end)


def digest(schema: Mapping[str, Any]) -> str:
    """Returns a digest of a tool's schema."""
    return hashlib.sha256(msgspec.json.encode(schema, order="deterministic")).hexdigest()
