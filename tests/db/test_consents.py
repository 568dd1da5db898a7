"""Who approves a tool call may allow the tool for good, in this Session, for this agent and as long as its schema stays."""

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import UNSET, UnsetType

from sessions_core.models import Session
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import NotFound, ReadOnly
from sessions_core.protocol.events import AskOpened, ConsentGranted, ConsentRevoked, RunCompleted
from sessions_core.protocol.ids import SessionId
from sessions_core.services import asks, consents, runs, sessions
from tests.db.acts import author, concurrently, facts, kinds, new_client_id, post_and_claim

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)

LOOK: dict[str, Any] = {"type": "object", "properties": {"at": {"type": "string"}}, "required": ["at"]}
OTHER = {"type": "object"}


def approve(session: SessionId, by: Author, schema: dict[str, Any] = LOOK, **value: object) -> None:
    claim = post_and_claim(session, by)
    ask = asks.open_ask(claim, "look", title="Look?", kind="approval", schema=schema, call="c1", tool="look").ask
    asks.answer(session, ask, by=by, client_id=new_client_id(), value={"approve": True, **value})
    runs.finish(claim, RunCompleted())


def revoke(session: SessionId, by: Author) -> consents.Revoked:
    return consents.revoke(session, by=by, client_id=new_client_id(), agent="script", tool="look")


def is_granted(session: SessionId, schema: dict[str, Any] = LOOK, agent: str = "script") -> bool:
    return consents.is_granted(session, agent, "look", schema)


def test_a_remembered_approval_is_a_consent(session: SessionId, owner: Author) -> None:
    approve(session, owner, remember=True)

    assert is_granted(session)
    assert ConsentGranted(tool="look", agent="script", by=str(owner.user)) in facts(session)
    assert kinds(session).index("ask.answered") < kinds(session).index("consent.granted")


def test_a_consent_is_for_one_session_one_agent_and_one_schema(session: SessionId, owner: Author) -> None:
    approve(session, owner, remember=True)

    assert not is_granted(sessions.create(by=owner, agent="script"))
    assert not is_granted(session, agent="guide")
    assert not is_granted(session, OTHER)
    assert is_granted(session, dict(reversed(LOOK.items())))


@pytest.mark.parametrize(("tool", "shown"), [("look", "look"), ("", UNSET)])
def test_readers_are_told_whether_a_consent_may_be_given(
    session: SessionId, owner: Author, tool: str, shown: str | UnsetType
) -> None:
    claim = post_and_claim(session, owner)

    asks.open_ask(claim, "look", title="Look?", kind="approval", schema=LOOK, call="c1", tool=tool)

    assert [fact.tool for fact in facts(session) if isinstance(fact, AskOpened)] == [shown]


@pytest.mark.parametrize("value", [{}, {"remember": False}, {"approve": False, "remember": True}])
def test_without_being_asked_to_nothing_is_remembered(session: SessionId, owner: Author, value: dict[str, Any]) -> None:
    approve(session, owner, **value)

    assert not is_granted(session)
    assert "consent.granted" not in kinds(session)


def test_a_tool_that_has_changed_is_allowed_anew(session: SessionId, owner: Author) -> None:
    for schema in (LOOK, LOOK, OTHER):
        approve(session, owner, schema, remember=True)

    assert is_granted(session, OTHER)
    assert not is_granted(session, LOOK)
    assert kinds(session).count("consent.granted") == 2


def test_a_consent_is_taken_back_once(session: SessionId, owner: Author) -> None:
    approve(session, owner, remember=True)

    outcomes = concurrently(partial(revoke, session, owner), partial(revoke, session, owner))

    assert {type(outcome) for outcome in outcomes} == {consents.Revoked, NotFound}
    assert facts(session)[-1] == ConsentRevoked(tool="look", agent="script", by=str(owner.user))
    assert not is_granted(session)


def test_a_viewer_sees_consents_and_takes_none_back(session: SessionId, owner: Author, bob: "User") -> None:
    approve(session, owner, remember=True)
    Session.objects.get(pk=session).participants.create(user=bob, role="viewer")

    assert [each.tool for each in consents.of_session(session, user=author(bob).user)] == ["look"]
    with pytest.raises(ReadOnly):
        revoke(session, author(bob))
    assert is_granted(session)


def test_a_stranger_sees_no_consents(session: SessionId, owner: Author, mallory: "User") -> None:
    approve(session, owner, remember=True)

    with pytest.raises(NotFound):
        consents.of_session(session, user=author(mallory).user)
    with pytest.raises(NotFound):
        revoke(session, author(mallory))
