"""The queue by HTTP: what waits in it can be changed and taken back, and a paused one goes on."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from sessions_core.models import QueuedMessage
from sessions_core.protocol.events import RunCompleted, RunFailed
from sessions_core.protocol.ids import SessionId
from sessions_core.services import runs
from tests.http.clients import ApiClient, claim_run, create_session, post_message, with_participant

FAILED = RunFailed(code="agent_error", message="It failed.", retry=True)


@pytest.fixture
def session(alice: User) -> SessionId:
    return create_session(alice)


def test_a_queued_message_is_changed_and_taken_back(session: SessionId, alice: User) -> None:
    script = ApiClient(alice)
    post_message(session, alice)
    queued = script.post(f"sessions/{session}/messages", {"text": "later"}).body
    address = f"sessions/{session}/queue/{queued['message']}"

    changed, again = (script.call("PATCH", address, {"text": "now"}, key=key) for key in [uuid4()] * 2)
    assert (queued["outcome"], changed.status, again.body) == ("queued", 200, changed.body)
    assert [row.parts for row in QueuedMessage.objects.all()] == [[{"type": "text", "text": "now"}]]

    taken, again = (script.call("DELETE", address, key=key) for key in [uuid4()] * 2)
    assert (taken.status, again.body) == (200, taken.body)
    assert not QueuedMessage.objects.exists()
    gone = [script.call("PATCH", address, {"text": "late"}), script.call("DELETE", address)]
    assert [(late.status, late.code) for late in gone] == [(409, "not_queued")] * 2


def test_a_text_that_cannot_be_posted_is_no_change(session: SessionId, alice: User) -> None:
    post_message(session, alice)
    queued = post_message(session, alice, "later")

    refused = ApiClient(alice).patch(f"sessions/{session}/queue/{queued.message}", {"text": " "})

    assert (refused.status, refused.code) == (422, "bad_field")
    assert QueuedMessage.objects.get().parts[0]["text"] == "later"


def test_a_paused_queue_goes_on(session: SessionId, alice: User) -> None:
    script, address, key = ApiClient(alice), f"sessions/{session}/queue/resumption", uuid4()
    first = claim_run(post_message(session, alice).run)
    queued = post_message(session, alice, "later")
    early = script.post(address)
    runs.finish(first, FAILED)
    assert runs.claim(session, queued.run, worker="w1") is None

    resumed, again = script.post(address, key=key), script.post(address, key=key)

    assert (early.status, early.code) == (409, "conflict")
    assert (resumed.status, again.body) == (200, resumed.body)
    runs.finish(claim_run(queued.run), RunCompleted())


def test_who_reads_changes_nothing_and_strangers_learn_nothing(
    session: SessionId, alice: User, bob: User, mallory: User
) -> None:
    with_participant(session, bob, "viewer")
    post_message(session, alice)
    queued = post_message(session, alice, "later")
    one, going_on = f"sessions/{session}/queue/{queued.message}", f"sessions/{session}/queue/resumption"

    for user, status, code in ((bob, 403, "read_only"), (mallory, 404, "not_found")):
        script = ApiClient(user)
        refused = [script.patch(one, {"text": "mine"}), script.delete(one), script.post(going_on)]
        assert {(each.status, each.code) for each in refused} == {(status, code)}
    assert QueuedMessage.objects.get().parts[0]["text"] == "later"
