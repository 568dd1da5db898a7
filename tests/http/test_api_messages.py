from functools import partial
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from sessions_core import log
from sessions_core.models import Event, Run
from sessions_core.protocol.ids import SessionId
from sessions_core.services import messages
from tests.db.acts import concurrently
from tests.http.clients import ApiClient, ApiResponse, claim_run, create_session, post_message
from tests.http.conftest import IdleDispatcher
from tests.support.long_texts import CHARACTERS, as_json, of_length


def count_posts(session: SessionId) -> int:
    return Event.objects.filter(session_id=session, kind="message.posted").count()


def test_a_post_is_in_the_log_and_wakes_a_worker(
    alice: User, dispatcher: type[IdleDispatcher], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    session = create_session(alice, agent="script")
    key = uuid4()

    with django_capture_on_commit_callbacks(execute=True):
        posted = ApiClient(alice).post(
            f"sessions/{session}/messages", {"parts": [{"type": "text", "text": "hé 😀"}]}, key=key
        )

    event = Event.objects.get(session_id=session, seq=posted.body["seq"])
    assert posted.status == 201
    assert posted.body["id"] == str(key)
    assert event.data["message"] == posted.body["message"]
    assert event.data["parts"] == [{"type": "text", "text": "hé 😀"}]
    assert event.data["client_id"] == str(key)
    assert [(str(run), agent) for run, agent in dispatcher.woken] == [(posted.body["run"], "script")]


def test_a_plain_text_will_do(alice: User) -> None:
    session = create_session(alice)

    posted = ApiClient(alice).post(f"sessions/{session}/messages", {"text": "hello"})

    event = Event.objects.get(session_id=session, seq=posted.body["seq"])
    assert event.data["parts"] == [{"type": "text", "text": "hello"}]


def test_a_repeat_gets_the_first_answer(alice: User) -> None:
    session = create_session(alice)
    script, key = ApiClient(alice), uuid4()

    first = script.post(f"sessions/{session}/messages", {"text": "hello"}, key=key)
    again = script.post(f"sessions/{session}/messages", {"text": "hello"}, key=key)

    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    assert count_posts(session) == 1


def test_without_a_key_each_post_is_a_new_one(alice: User) -> None:
    session = create_session(alice)
    script = ApiClient(alice)

    first, second = (script.post(f"sessions/{session}/messages", {"text": "hello"}) for _ in range(2))

    assert (first.status, second.status) == (201, 201)
    assert first.body["id"] != second.body["id"]
    assert count_posts(session) == 2


@pytest.mark.django_db(transaction=True)
def test_one_key_from_two_sides_at_once_has_one_effect(alice: User) -> None:
    session = create_session(alice)
    key, address = uuid4(), f"sessions/{session}/messages"
    scripts = [ApiClient(alice) for _ in range(4)]

    answers = concurrently(*[partial(script.post, address, {"text": "hi"}, key=key) for script in scripts])

    responses = [answer for answer in answers if isinstance(answer, ApiResponse)]
    assert sorted(answer.status for answer in responses) == [200, 200, 200, 201]
    assert len({answer.content for answer in responses}) == 1
    assert (count_posts(session), Run.objects.count()) == (1, 1)


def test_the_key_of_another_command_is_refused(alice: User) -> None:
    session = create_session(alice)
    script, key = ApiClient(alice), uuid4()
    script.post(f"sessions/{session}/cancellation", key=uuid4())
    run = script.post(f"sessions/{session}/messages", {"text": "hello"}).body["run"]
    script.post(f"sessions/{session}/runs/{run}/cancellation", key=key)

    refused = script.post(f"sessions/{session}/messages", {"text": "hello"}, key=key)

    assert (refused.status, refused.code) == (422, "bad_field")
    assert count_posts(session) == 1


@pytest.mark.parametrize("key", ["", "x", "123", "00000000-0000-0000-0000-00000000000g", "\xff", "a" * 5000])
def test_a_key_that_is_no_uuid_is_refused_by_name(alice: User, key: str) -> None:
    session = create_session(alice)

    refused = ApiClient(alice).post(f"sessions/{session}/messages", {"text": "hello"}, key=key)

    assert (refused.status, refused.code) == (422, "bad_field")
    assert refused.body["error"]["message"].startswith("Idempotency-Key: ")
    assert count_posts(session) == 0


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
    session = create_session(alice)
    head = log.heads([session])[session].head

    refused = ApiClient(alice).post(f"sessions/{session}/messages", body)

    assert (refused.status, refused.code) == (422, "bad_field")
    assert log.heads([session])[session].head == head
    assert not Run.objects.exists()


@pytest.mark.parametrize("agent", ["nobody", "a\u0301", "x" * 5000])
def test_an_unknown_agent_is_refused(alice: User, agent: str) -> None:
    session = create_session(alice)

    refused = ApiClient(alice).post(f"sessions/{session}/messages", {"text": "hello", "agent": agent})

    assert (refused.status, refused.code) == (422, "no_such_agent")
    assert count_posts(session) == 0


@pytest.mark.parametrize("escaped", [False, True], ids=["raw", "escaped"])
@pytest.mark.parametrize("character", CHARACTERS.values(), ids=CHARACTERS)
def test_the_longest_message_is_taken_and_one_character_more_is_refused(
    alice: User, character: str, *, escaped: bool
) -> None:
    session = create_session(alice)
    script = ApiClient(alice)

    def post(text: str) -> ApiResponse:
        body = f'{{"text":{as_json(text, escaped=escaped)}}}'.encode()
        return script.call("POST", f"sessions/{session}/messages", raw=body)

    posted = post(of_length(character, messages.MESSAGE_CHARACTERS))
    refused = post(of_length(character, messages.MESSAGE_CHARACTERS + 1))

    assert posted.status == 201
    assert (refused.status, refused.code) == (413, "too_large")
    assert refused.body["error"]["retry"] is False
    assert refused.body["error"]["message"] == "The message has 32,001 characters; at most 32,000 are possible."


def test_too_many_parts_are_refused(alice: User) -> None:
    session = create_session(alice)
    parts = [{"type": "text", "text": "x"}] * (messages.MESSAGE_PARTS + 1)

    refused = ApiClient(alice).post(f"sessions/{session}/messages", {"parts": parts})

    assert (refused.status, refused.code) == (422, "bad_field")
    assert "100 are possible" in refused.body["error"]["message"]


def test_a_message_that_steers_has_no_run_of_its_own(alice: User) -> None:
    session = create_session(alice)
    post_message(session, alice)

    posted = ApiClient(alice).post(f"sessions/{session}/messages", {"text": "hello", "policy": "steer"})

    assert (posted.status, posted.body["outcome"], posted.body["run"]) == (201, "steering", None)


def test_a_message_may_name_its_parent(alice: User) -> None:
    session = create_session(alice)
    first = post_message(session, alice)
    post_message(session, alice)

    posted = ApiClient(alice).post(f"sessions/{session}/messages", {"text": "again", "parent": str(first.message)})

    event = Event.objects.get(session_id=session, seq=posted.body["seq"])
    assert event.data["parent"] == str(first.message)


def test_reject_refuses_while_an_answer_is_written(alice: User) -> None:
    session = create_session(alice)
    claim_run(post_message(session, alice).run)

    refused = ApiClient(alice).post(f"sessions/{session}/messages", {"text": "hello", "policy": "reject"})

    assert (refused.status, refused.code) == (409, "run_active")
    assert refused.body["error"]["retry"] is True


def test_a_session_has_so_many_messages_that_wait(alice: User, settings: Settings) -> None:
    settings.WAITING_RUNS = 2
    session = create_session(alice)
    script, address = ApiClient(alice), f"sessions/{session}/messages"
    claim_run(post_message(session, alice).run)
    once = str(uuid4())
    for key in (str(uuid4()), once):
        assert script.post(address, {"text": "waits"}, key=key).status == 201

    refused = script.post(address, {"text": "one too many"})

    assert (refused.status, refused.code) == (409, "limit_reached")
    assert "2 messages" in refused.body["error"]["message"]
    assert Run.objects.count() == 3
    assert script.post(address, {"text": "waits"}, key=once).status == 200


def test_a_retry_waits_as_a_post_does(alice: User, settings: Settings) -> None:
    settings.WAITING_RUNS = 1
    session = create_session(alice)
    stopped = post_message(session, alice).run
    script = ApiClient(alice)
    script.post(f"sessions/{session}/runs/{stopped}/cancellation")
    post_message(session, alice)

    refused = script.post(f"sessions/{session}/runs/{stopped}/retry")

    assert (refused.status, refused.code) == (409, "limit_reached")
