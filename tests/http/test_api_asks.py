"""Questions, consents and signals by HTTP."""

from uuid import uuid4

from django.contrib.auth.models import User

from sessions_core.protocol.ids import AskId, SessionId
from sessions_core.services import asks
from tests.http.clients import ApiClient, claim_run, create_session, post_message

LOOK = {"type": "object", "properties": {"at": {"type": "string"}}}


def ask(session: SessionId, by: User) -> AskId:
    claim = claim_run(post_message(session, by).run)
    return asks.open_ask(claim, "look", title="Look?", kind="approval", schema=LOOK, call="c", tool="look").ask


def test_a_question_is_listed_until_it_is_answered(alice: User) -> None:
    session, script, key = create_session(alice, agent="guide"), ApiClient(alice), uuid4()
    opened = ask(session, alice)
    (listed,) = script.get(f"sessions/{session}/asks").body["asks"]
    assert (listed["id"], listed["title"], listed["schema"]) == (str(opened), "Look?", LOOK)

    address = f"sessions/{session}/asks/{opened}/answer"
    wrong = script.post(address, {"value": {"approve": True, "input": {"at": 1}}})
    first = script.post(address, {"value": {"approve": True, "remember": True}}, key=key)
    again = script.post(address, {"value": {"approve": True, "remember": True}}, key=key)
    late = script.post(address, {"declined": True})

    assert (wrong.status, wrong.code) == (422, "bad_answer")
    assert wrong.body["error"]["fields"] == {"input.at": "This has to be a text."}
    assert (first.status, again.body) == (200, first.body)
    assert (late.status, late.code) == (409, "ask_closed")
    assert script.get(f"sessions/{session}/asks").body == {"asks": []}


def test_a_consent_is_listed_until_it_is_taken_back(alice: User) -> None:
    session, script = create_session(alice, agent="guide"), ApiClient(alice)
    value = {"approve": True, "remember": True}
    script.post(f"sessions/{session}/asks/{ask(session, alice)}/answer", {"value": value})
    (listed,) = script.get(f"sessions/{session}/consents").body["consents"]

    revoked = script.delete(f"sessions/{session}/consents/{listed['agent']}/{listed['tool']}")

    assert (listed["tool"], revoked.status) == ("look", 200)
    assert script.get(f"sessions/{session}/consents").body == {"consents": []}


def test_a_signal_is_received_once(alice: User) -> None:
    session, script, key = create_session(alice), ApiClient(alice), uuid4()
    address = f"sessions/{session}/runs/{post_message(session, alice).run}/signals/paid"

    first, again = script.post(address, {"value": 5}, key=key), script.post(address, {"value": 5}, key=key)

    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body


def test_a_stranger_learns_of_none_of_it(alice: User, mallory: User) -> None:
    session, script = create_session(alice), ApiClient(mallory)
    opened = ask(session, alice)
    paths = [f"asks/{opened}/answer", f"asks/{uuid4()}/answer", f"runs/{uuid4()}/signals/paid"]

    refusals = [script.post(f"sessions/{session}/{path}", {"value": 1}) for path in paths]
    refusals += [script.get(f"sessions/{session}/{path}") for path in ("asks", "consents")]
    refusals += [script.post(f"sessions/{uuid4()}/{paths[0]}", {"value": 1})]

    assert {(refused.status, refused.content) for refused in refusals} == {(404, refusals[0].content)}
