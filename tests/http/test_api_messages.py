from functools import partial
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoCaptureOnCommitCallbacks

from sessions_core import log
from sessions_core.models import Event, Run
from sessions_core.protocol.ids import SessionId
from sessions_core.services import messages
from tests.db.acts import at_once
from tests.http.callers import Answer, Script, begun, claimed, said
from tests.http.conftest import Desk


def posts(session: SessionId) -> int:
    return Event.objects.filter(session_id=session, kind="message.posted").count()


def test_a_post_is_in_the_log_and_wakes_a_worker(
    alice: User, desk: type[Desk], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    session = begun(alice, agent="script")
    key = uuid4()

    with django_capture_on_commit_callbacks(execute=True):
        posted = Script(alice).post(
            f"sessions/{session}/messages", {"parts": [{"type": "text", "text": "hé 😀"}]}, key=key
        )

    event = Event.objects.get(session_id=session, seq=posted.said["seq"])
    assert posted.status == 201
    assert posted.said["id"] == str(key)
    assert event.data["message"] == posted.said["message"]
    assert event.data["parts"] == [{"type": "text", "text": "hé 😀"}]
    assert event.data["client_id"] == str(key)
    assert [(str(run), agent) for run, agent in desk.woken] == [(posted.said["run"], "script")]


def test_a_plain_text_will_do(alice: User) -> None:
    session = begun(alice)

    posted = Script(alice).post(f"sessions/{session}/messages", {"text": "hello"})

    event = Event.objects.get(session_id=session, seq=posted.said["seq"])
    assert event.data["parts"] == [{"type": "text", "text": "hello"}]


def test_a_repeat_gets_the_first_answer(alice: User) -> None:
    session = begun(alice)
    script, key = Script(alice), uuid4()

    first = script.post(f"sessions/{session}/messages", {"text": "hello"}, key=key)
    again = script.post(f"sessions/{session}/messages", {"text": "hello"}, key=key)

    assert (first.status, again.status) == (201, 200)
    assert first.said == again.said
    assert posts(session) == 1


def test_without_a_key_each_post_is_a_new_one(alice: User) -> None:
    session = begun(alice)
    script = Script(alice)

    first, second = (script.post(f"sessions/{session}/messages", {"text": "hello"}) for _ in range(2))

    assert (first.status, second.status) == (201, 201)
    assert first.said["id"] != second.said["id"]
    assert posts(session) == 2


@pytest.mark.django_db(transaction=True)
def test_one_key_from_two_sides_at_once_has_one_effect(alice: User) -> None:
    session = begun(alice)
    key, address = uuid4(), f"sessions/{session}/messages"
    scripts = [Script(alice) for _ in range(4)]

    answers = at_once(*[partial(script.post, address, {"text": "hi"}, key=key) for script in scripts])

    got = [answer for answer in answers if isinstance(answer, Answer)]
    assert sorted(answer.status for answer in got) == [200, 200, 200, 201]
    assert len({answer.content for answer in got}) == 1
    assert (posts(session), Run.objects.count()) == (1, 1)


def test_the_key_of_another_command_is_refused(alice: User) -> None:
    session = begun(alice)
    script, key = Script(alice), uuid4()
    script.post(f"sessions/{session}/cancellation", key=uuid4())
    run = script.post(f"sessions/{session}/messages", {"text": "hello"}).said["run"]
    script.post(f"sessions/{session}/runs/{run}/cancellation", key=key)

    refused = script.post(f"sessions/{session}/messages", {"text": "hello"}, key=key)

    assert (refused.status, refused.code) == (422, "bad_field")
    assert posts(session) == 1


@pytest.mark.parametrize("key", ["", "x", "123", "00000000-0000-0000-0000-00000000000g", "\xff", "a" * 5000])
def test_a_key_that_is_no_uuid_is_refused_by_name(alice: User, key: str) -> None:
    session = begun(alice)

    refused = Script(alice).post(f"sessions/{session}/messages", {"text": "hello"}, key=key)

    assert (refused.status, refused.code) == (422, "bad_field")
    assert refused.said["error"]["message"].startswith("Idempotency-Key: ")
    assert posts(session) == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": " \n\t "},
        {"text": 7},
        {"text": None},
        {"text": "a\x00b"},
        {"text": "half \ud83d"},
        {"text": "hello", "parts": [{"type": "text", "text": "hello"}]},
        {"parts": []},
        {"parts": [{"type": "text"}]},
        {"parts": [{"type": "image", "text": "x"}]},
        {"parts": [{"type": "text", "text": "\x00"}]},
        {"parts": [{"type": "text", "text": "\udc00"}]},
        {"parts": [{"type": "text", "text": ""}]},
        {"parts": "hello"},
        {"parts": {"type": "text", "text": "hello"}},
        {"text": "hello", "parent": "x"},
        {"text": "hello", "parent": str(uuid4())},
        {"text": "hello", "policy": "whatever"},
        {"text": "hello", "agent": 10**400},
        [],
        "hello",
        7,
        None,
    ],
)
def test_what_cannot_be_said_is_refused_and_nothing_is_half_written(alice: User, body: object) -> None:
    session = begun(alice)
    head = log.heads([session])[session].head

    refused = Script(alice).post(f"sessions/{session}/messages", body)

    assert (refused.status, refused.code) == (422, "bad_field")
    assert log.heads([session])[session].head == head
    assert not Run.objects.exists()


@pytest.mark.parametrize("agent", ["nobody", "a\u0301", "x" * 5000])
def test_an_unknown_agent_is_refused(alice: User, agent: str) -> None:
    session = begun(alice)

    refused = Script(alice).post(f"sessions/{session}/messages", {"text": "hello", "agent": agent})

    assert (refused.status, refused.code) == (422, "no_such_agent")
    assert posts(session) == 0


def test_an_oversized_message_is_refused(alice: User) -> None:
    session = begun(alice)
    longest = "😀" * messages.TEXT_LIMIT

    refused = Script(alice).post(f"sessions/{session}/messages", {"text": longest + "!"})
    posted = Script(alice).post(f"sessions/{session}/messages", {"text": longest})

    assert (refused.status, refused.code) == (413, "too_large")
    assert posted.status == 201


@pytest.mark.parametrize("policy", ["steer", "interrupt"])
def test_a_policy_that_is_not_offered_yet_says_so(alice: User, policy: str) -> None:
    session = begun(alice)

    refused = Script(alice).post(f"sessions/{session}/messages", {"text": "hello", "policy": policy})

    assert (refused.status, refused.code) == (422, "not_supported")


def test_a_message_may_name_its_parent(alice: User) -> None:
    session = begun(alice)
    first = said(session, alice)
    said(session, alice)

    posted = Script(alice).post(f"sessions/{session}/messages", {"text": "again", "parent": str(first.message)})

    event = Event.objects.get(session_id=session, seq=posted.said["seq"])
    assert event.data["parent"] == str(first.message)


def test_reject_refuses_while_an_answer_is_written(alice: User) -> None:
    session = begun(alice)
    claimed(said(session, alice).run)

    refused = Script(alice).post(f"sessions/{session}/messages", {"text": "hello", "policy": "reject"})

    assert (refused.status, refused.code) == (409, "run_active")
    assert refused.said["error"]["retry"] is True
