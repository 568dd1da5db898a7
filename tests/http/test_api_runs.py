from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions_core.models import Event, Run
from sessions_core.protocol import run_states
from sessions_core.protocol.events import RunCompleted, RunFailed, RunWaiting
from sessions_core.protocol.spent import Spent
from sessions_core.services import runs
from tests.http.clients import ApiClient, claim_run, create_session, post_message, with_participant
from tests.http.test_api_history import post_and_answer

FIELDS = {
    *("id", "agent", "state", "attempt", "waits_on", "replies_to", "retry_of", "parent"),
    *("requested_at", "started_at", "first_text_at", "ended_at", "error", "error_code", "usage"),
}


def test_runs_are_listed_newest_first(alice: User) -> None:
    session = create_session(alice)
    first, second = post_message(session, alice), post_message(session, alice)
    runs.finish(claim_run(first.run), RunFailed(code="provider", message="It is away.", retry=True))

    listed = ApiClient(alice).get(f"sessions/{session}/runs").body["runs"]

    assert [row["id"] for row in listed] == [str(second.run), str(first.run)]
    assert set(listed[0]) == FIELDS
    assert (listed[0]["state"], listed[0]["started_at"], listed[0]["error"]) == ("requested", None, None)
    assert (listed[1]["state"], listed[1]["attempt"], listed[1]["error"]) == ("failed", 1, "It is away.")
    assert (listed[1]["error_code"], listed[1]["usage"]) == ("provider", None)
    assert listed[1]["ended_at"].endswith("Z")


def test_a_run_says_what_it_waits_for_and_what_it_has_used(alice: User) -> None:
    session = create_session(alice)
    claim = claim_run(post_message(session, alice).run)
    spent = Spent(requests=2, input_tokens=30, output_tokens=4, cost_usd=0.5)
    runs.park(claim, RunWaiting(on="signal", signal="paid"), spent=spent)

    (run,) = ApiClient(alice).get(f"sessions/{session}/runs").body["runs"]

    assert (run["state"], run["waits_on"], run["error_code"]) == ("waiting", "signal", None)
    assert run["usage"] == {
        "requests": 2,
        "input_tokens": 30,
        "output_tokens": 4,
        "cached_tokens": 0,
        "estimated": False,
        "cost_usd": 0.5,
    }


def test_the_list_of_runs_is_bounded_and_costs_the_same(alice: User) -> None:
    session = create_session(alice)
    for _ in range(3):
        post_message(session, alice)
    script = ApiClient(alice)
    script.get(f"sessions/{session}/runs")

    with CaptureQueriesContext(connection) as queries:
        listed = script.get(f"sessions/{session}/runs?limit=2").body["runs"]

    assert len(listed) == 2
    assert len(queries) == 3  # the token, the membership, the Runs


def test_stop_is_a_line_in_the_log(alice: User) -> None:
    session = create_session(alice)
    claim = claim_run(post_message(session, alice).run)

    stopped = ApiClient(alice).post(f"sessions/{session}/runs/{claim.run}/cancellation")

    event = Event.objects.get(session_id=session, seq=stopped.body["seq"])
    assert (stopped.status, stopped.body["runs"]) == (200, [str(claim.run)])
    assert (event.kind, event.actor_name) == ("run.cancel_requested", "Alice")


def test_stop_before_the_first_word_ends_the_run_at_once(alice: User) -> None:
    session = create_session(alice)
    run = post_message(session, alice).run

    ApiClient(alice).post(f"sessions/{session}/runs/{run}/cancellation")

    assert Run.objects.get(pk=run).state == "cancelled"


def test_a_repeated_stop_gets_the_first_answer(alice: User) -> None:
    session = create_session(alice)
    run = claim_run(post_message(session, alice).run).run
    script, key = ApiClient(alice), uuid4()

    first = script.post(f"sessions/{session}/runs/{run}/cancellation", key=key)
    again = script.post(f"sessions/{session}/runs/{run}/cancellation", key=key)

    assert (again.status, again.body) == (200, first.body)
    assert Event.objects.filter(kind="run.cancel_requested").count() == 1


def test_stop_without_a_run_stops_all(alice: User) -> None:
    session = create_session(alice)
    made = {str(post_message(session, alice).run), str(post_message(session, alice).run)}

    stopped = ApiClient(alice).post(f"sessions/{session}/cancellation")

    assert set(stopped.body["runs"]) == made
    assert not Run.objects.filter(state__in=run_states.ACTIVE).exists()


def test_what_has_ended_cannot_be_stopped(alice: User) -> None:
    session = create_session(alice)
    claim = claim_run(post_message(session, alice).run)
    runs.finish(claim, RunCompleted())
    script = ApiClient(alice)

    one = script.post(f"sessions/{session}/runs/{claim.run}/cancellation")
    every = script.post(f"sessions/{session}/cancellation")

    assert (one.status, one.code) == (409, "run_ended")
    assert (every.status, every.code) == (409, "run_ended")


def test_a_failed_run_is_tried_once_more(alice: User) -> None:
    session = create_session(alice)
    claim = claim_run(post_message(session, alice).run)
    runs.finish(claim, RunFailed(code="provider", message="It is away.", retry=True))
    script, key = ApiClient(alice), uuid4()

    tried = script.post(f"sessions/{session}/runs/{claim.run}/retry", key=key)
    again = script.post(f"sessions/{session}/runs/{claim.run}/retry", key=key)

    assert (tried.status, again.status) == (201, 200)
    assert tried.body == again.body
    assert Run.objects.get(pk=tried.body["run"]).replies_to == claim.replies_to


def test_a_run_at_work_cannot_be_tried_again(alice: User) -> None:
    session = create_session(alice)
    run = post_message(session, alice).run

    refused = ApiClient(alice).post(f"sessions/{session}/runs/{run}/retry")

    assert (refused.status, refused.code) == (409, "conflict")


def test_an_answer_is_given_anew_once(alice: User) -> None:
    session = create_session(alice)
    answer = post_and_answer(session, alice, "hello")
    script, key = ApiClient(alice), uuid4()
    address = f"sessions/{session}/messages/{answer}/regeneration"

    first, again = script.post(address, key=key), script.post(address, key=key)

    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    listed = script.get(f"sessions/{session}/runs").body["runs"]
    assert [run["id"] for run in listed][:-1] == [first.body["run"]]
    assert len({run["replies_to"] for run in listed}) == 1
    assert {run["retry_of"] for run in listed} == {None}


def test_a_retry_names_the_first_run_of_its_answer(alice: User) -> None:
    session = create_session(alice)
    claim = claim_run(post_message(session, alice).run)
    runs.finish(claim, RunFailed(code="provider", message="It is away.", retry=True))
    script = ApiClient(alice)

    script.post(f"sessions/{session}/runs/{claim.run}/retry")

    assert [run["retry_of"] for run in script.get(f"sessions/{session}/runs").body["runs"]] == [str(claim.run), None]


@pytest.mark.parametrize("act", ["cancellation", "retry"])
def test_the_run_of_another_session_is_not_there(alice: User, mallory: User, act: str) -> None:
    theirs = post_message(create_session(mallory), mallory).run
    session = create_session(alice)
    script = ApiClient(alice)

    refused = script.post(f"sessions/{session}/runs/{theirs}/{act}")
    absent = script.post(f"sessions/{session}/runs/{uuid4()}/{act}")

    assert refused.status == absent.status == 404
    assert refused.content == absent.content
    assert Run.objects.get(pk=theirs).state == "requested"


@pytest.mark.parametrize("act", ["cancellation", "runs/{run}/cancellation", "runs/{run}/retry"])
def test_a_viewer_stops_nothing(alice: User, bob: User, act: str) -> None:
    session = with_participant(create_session(alice), bob, "viewer")
    run = post_message(session, alice).run

    refused = ApiClient(bob).post(f"sessions/{session}/{act.format(run=run)}")

    assert (refused.status, refused.code) == (403, "read_only")


def test_a_viewer_sees_the_runs(alice: User, bob: User) -> None:
    session = with_participant(create_session(alice), bob, "viewer")
    post_message(session, alice)

    assert len(ApiClient(bob).get(f"sessions/{session}/runs").body["runs"]) == 1
