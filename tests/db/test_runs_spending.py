"""What a Run has spent stands in its row and in its last Event, whoever ends it."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from sessions_core.models import Run
from sessions_core.protocol import clock
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import RunCancelled, RunCompleted, RunFailed, RunWaiting, Usage
from sessions_core.protocol.ids import SessionId
from sessions_core.protocol.spent import Spent
from sessions_core.services import runs
from tests.db.acts import facts, new_client_id, post_and_claim

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = "2000-01-01T00:00Z"
SPENT = Spent(
    steps=3, requests=2, input_tokens=100, output_tokens=20, cached_tokens=50, cost_usd=0.25, first_text_s=1.5
)
USAGE = Usage(input_tokens=100, output_tokens=20, requests=2, cached=50, cost_usd=0.25)


def new_claim(claim: Claim) -> Claim:
    again = runs.claim(claim.session, claim.run, worker="w2")
    assert again is not None
    return again


def test_the_last_event_says_what_was_used(session: SessionId, owner: Author) -> None:
    runs.finish(post_and_claim(session, owner), RunCompleted(), spent=SPENT)

    assert facts(session)[-1] == RunCompleted(usage=USAGE)
    run = Run.objects.get()
    assert (run.step_count, run.requests, run.input_tokens, float(run.cost_usd or 0)) == (3, 2, 100, 0.25)


def test_a_heartbeat_keeps_what_a_killed_worker_has_spent(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    runs.heartbeat([claim], spent=[SPENT])
    Run.objects.update(lease_until=LONG_AGO)

    again = new_claim(claim)

    assert (again.spent.steps, again.spent.usage) == (SPENT.steps, USAGE)


def test_whoever_ends_a_run_that_waits_says_what_it_has_used(session: SessionId, owner: Author) -> None:
    runs.park(post_and_claim(session, owner), RunWaiting(on="signal", signal="paid"), spent=SPENT)

    runs.cancel(session, by=owner, client_id=new_client_id())

    assert facts(session)[-1] == RunCancelled(usage=USAGE)


def test_an_unknown_price_stays_unknown(session: SessionId, owner: Author) -> None:
    spent = Spent(requests=1, input_tokens=5, output_tokens=1)

    runs.finish(post_and_claim(session, owner), RunCompleted(), spent=spent)

    assert facts(session)[-1] == RunCompleted(usage=Usage(input_tokens=5, output_tokens=1, requests=1))
    assert Run.objects.get().cost_usd is None


def test_the_time_of_the_first_text_stays_that_of_the_first(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    runs.heartbeat([claim], spent=[SPENT])
    run = Run.objects.get()
    assert run.first_text_at is not None
    assert run.claimed_at is not None
    assert run.first_text_at - run.claimed_at == timedelta(seconds=1.5)
    Run.objects.update(lease_until=LONG_AGO)

    runs.heartbeat([new_claim(claim)], spent=[SPENT])

    assert Run.objects.get().first_text_at == run.first_text_at


def test_only_time_at_work_counts(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    Run.objects.update(claimed_at=Now() - timedelta(seconds=100))
    runs.park(claim, RunWaiting(on="sleep"), resume_at=clock.now())

    assert 100 <= new_claim(claim).worked_s < 200


def test_the_time_of_a_killed_attempt_counts_until_its_lease_ended(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    Run.objects.update(claimed_at=Now() - timedelta(seconds=100), lease_until=Now() - timedelta(seconds=60))

    assert 39 < new_claim(claim).worked_s < 41


def test_the_row_says_why_and_where_a_run_failed(session: SessionId, owner: Author) -> None:
    failed = RunFailed(code="provider", message="It broke.", retry=True)

    runs.finish(post_and_claim(session, owner), failed, exception_class="builtins.ValueError" * 20)

    run = Run.objects.get()
    assert (run.error_code, run.exception_class[:19], run.worker) == ("provider", "builtins.ValueError", "w1")
