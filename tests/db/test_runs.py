"""P5–P8: Runs are claimed once, restarted, stopped, swept, and always end."""

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection
from django.db.models.functions import Now

from agents.runner import maintenance
from sessions_core import log
from sessions_core.models import NeedlessStop, Run
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import BadField, Conflict, Fenced, NotFound, RunEnded
from sessions_core.protocol.events import MessageCompleted, Part, RunCompleted, RunFailed, RunInterrupted, RunRestarted
from sessions_core.protocol.ids import RunId, SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.services import runs
from tests.db.acts import (
    author,
    concurrently,
    delta,
    facts,
    kinds,
    new_client_id,
    post_and_claim,
    post_message,
    start_message,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = "2000-01-01T00:00Z"


def test_of_many_workers_one_gets_the_run(session: SessionId, owner: Author) -> None:
    run = post_message(session, owner).run

    claims = concurrently(*[partial(runs.claim, session, run, worker=f"w{n}") for n in range(6)])

    assert len([claim for claim in claims if claim is not None]) == 1
    assert kinds(session).count("run.started") == 1


def test_runs_of_one_session_go_one_after_the_other(session: SessionId, owner: Author) -> None:
    first, second = post_message(session, owner).run, post_message(session, owner).run

    assert runs.claim(session, second, worker="w1") is None
    claim = runs.claim(session, first, worker="w1")
    assert claim is not None
    runs.finish(claim, RunCompleted())

    assert runs.claim(session, second, worker="w1") is not None


def test_a_lapsed_lease_is_taken_over_and_its_messages_are_voided(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)
    log.append_as(claim, [delta(message, 0, "half")])
    Run.objects.update(lease_until=LONG_AGO)

    second = runs.claim(claim.session, claim.run, worker="w2")

    assert second is not None
    assert facts(session)[-1] == RunRestarted(attempt=2, voided=(message,))


def test_a_beat_renews_and_says_what_is_lost_or_stopped(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    assert runs.heartbeat([claim]) == runs.Heartbeat(lost=set(), cancelled=set())
    runs.cancel(session, by=owner, client_id=new_client_id())
    assert runs.heartbeat([claim]) == runs.Heartbeat(lost=set(), cancelled={claim.run})

    runs.finish(claim, RunCompleted())

    assert runs.heartbeat([claim]) == runs.Heartbeat(lost={claim.run}, cancelled=set())


def test_the_end_completes_what_is_open_with_what_was_said(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)
    log.append_as(claim, [delta(message, 0, "half "), delta(message, 5, "an answer")])

    runs.finish(claim, RunFailed(code="provider", message="It broke.", retry=True))

    whole = MessageCompleted(message=message, parts=(Part("text", "half an answer"),), state="failed")
    assert facts(session)[-2:] == [whole, RunFailed(code="provider", message="It broke.", retry=True)]
    assert Run.objects.get().error == "It broke."


def test_a_run_ends_once(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)

    ends = concurrently(*[partial(runs.finish, claim, RunCompleted()) for _ in range(4)])

    assert len([end for end in ends if isinstance(end, Fenced)]) == 3
    assert kinds(session).count("run.completed") == 1


def test_a_stopped_run_ends_cancelled_whatever_it_says(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    runs.cancel(session, by=owner, client_id=new_client_id())

    runs.finish(claim, RunCompleted())

    assert kinds(session)[-2:] == ["run.cancel_requested", "run.cancelled"]
    assert Run.objects.get().state == "cancelled"


def test_stop_before_a_worker_has_it_ends_it_at_once(session: SessionId, owner: Author) -> None:
    run = post_message(session, owner).run

    stopped = runs.cancel(session, by=owner, client_id=new_client_id())

    assert stopped.runs == (run,)
    assert kinds(session)[-2:] == ["run.cancel_requested", "run.cancelled"]
    assert runs.claim(session, run, worker="w1") is None


def test_the_same_stop_twice_is_one(session: SessionId, owner: Author) -> None:
    post_and_claim(session, owner)
    once = new_client_id()

    answers = concurrently(*[partial(runs.cancel, session, by=owner, client_id=once) for _ in range(4)])

    assert {(answer.seq, answer.runs) for answer in answers if isinstance(answer, runs.Stopped)} == {
        (answers[0].seq, answers[0].runs)  # type: ignore[union-attr]
    }
    assert kinds(session).count("run.cancel_requested") == 1


def test_a_stop_that_comes_second_keeps_its_answer(session: SessionId, owner: Author, mallory: "User") -> None:
    claim = post_and_claim(session, owner)
    runs.cancel(session, by=owner, client_id=new_client_id())
    stop = partial(runs.cancel, session, by=owner, client_id=new_client_id(), run_id=claim.run)

    first, *others = concurrently(stop, stop, stop)
    runs.finish(claim, RunCompleted())
    again = stop()

    assert NeedlessStop.objects.count() == 1
    assert {(each.seq, each.runs) for each in (first, *others, again)} == {(again.seq, (claim.run,))}  # type: ignore[union-attr]
    assert again.repeated
    assert kinds(session).count("run.cancel_requested") == 1
    with pytest.raises(RunEnded):
        runs.cancel(session, by=owner, client_id=new_client_id(), run_id=claim.run)
    with pytest.raises(NotFound):
        stop(by=author(mallory))


def test_nothing_to_stop_is_said(session: SessionId, owner: Author) -> None:
    with pytest.raises(RunEnded):
        runs.cancel(session, by=owner, client_id=new_client_id())
    with pytest.raises(NotFound):
        runs.cancel(session, by=owner, client_id=new_client_id(), run_id=RunId(uuid4()))


def test_a_stranger_cannot_stop(session: SessionId, owner: Author, mallory: "User") -> None:
    claim = post_and_claim(session, owner)

    with pytest.raises(NotFound):
        runs.cancel(session, by=author(mallory), client_id=new_client_id(), run_id=claim.run)

    assert "run.cancel_requested" not in kinds(session)


def test_an_id_of_another_command_is_refused(session: SessionId, owner: Author) -> None:
    used = new_client_id()
    post_message(session, owner, client_id=used)

    with pytest.raises(BadField):
        runs.cancel(session, by=owner, client_id=used)


def test_the_sweeper_ends_a_run_that_killed_all_its_workers(session: SessionId, owner: Author) -> None:
    claim: Claim | None = post_and_claim(session, owner)
    for _ in range(runs.ATTEMPTS - 1):
        Run.objects.update(lease_until=LONG_AGO)
        claim = runs.claim(session, RunId(Run.objects.get().pk), worker="w")
    assert claim is not None
    log.append_as(claim, [delta(start_message(claim), 0, "partial")])
    Run.objects.update(lease_until=LONG_AGO)

    runs.end_lapsed()

    completed, outcome = facts(session)[-2:]
    assert isinstance(completed, MessageCompleted)
    assert (completed.parts, completed.state) == ((Part("text", "partial"),), "interrupted")
    assert isinstance(outcome, RunInterrupted)
    assert runs.claim(claim.session, claim.run, worker="w") is None


def test_the_sweeper_ends_a_stopped_run_whose_worker_died(session: SessionId, owner: Author) -> None:
    post_and_claim(session, owner)
    runs.cancel(session, by=owner, client_id=new_client_id())
    Run.objects.update(lease_until=LONG_AGO)

    runs.end_lapsed()

    assert kinds(session)[-1] == "run.cancelled"


def test_two_sweepers_end_a_run_once(session: SessionId, owner: Author) -> None:
    post_and_claim(session, owner)
    Run.objects.update(lease_until=LONG_AGO, attempt=runs.ATTEMPTS, fence=runs.ATTEMPTS)

    concurrently(*[runs.end_lapsed for _ in range(4)])

    assert kinds(session).count("run.interrupted") == 1


def test_the_sweeper_wakes_what_was_lost_and_its_turn(session: SessionId, owner: Author) -> None:
    first, second = post_message(session, owner).run, post_message(session, owner).run
    Run.objects.update(woken_at=LONG_AGO)

    runs.wake_waiting(own_agents=["script"])

    woken = set(Run.objects.filter(woken_at__gt="2001-01-01T00:00Z").values_list("pk", flat=True))
    assert woken == {first}
    assert second not in woken


def test_a_wake_counts_as_lost_soon_enough_that_a_run_begins_within_three_seconds(
    session: SessionId, owner: Author
) -> None:
    lost = Run.objects.filter(pk=post_message(session, owner).run)
    lost.update(woken_at=Now() - timedelta(seconds=2.5 - maintenance.SWEEP_S))
    before = lost.get().woken_at

    runs.wake_waiting(own_agents=["script"])

    assert lost.get().woken_at > before


def test_a_run_handed_back_goes_on_elsewhere_and_costs_no_attempt(session: SessionId, owner: Author) -> None:
    claim: Claim | None = post_and_claim(session, owner)
    for _ in range(runs.ATTEMPTS + 1):
        assert claim is not None
        runs.release(claim)
        claim = runs.claim(claim.session, claim.run, worker="w2")

    assert claim is not None
    assert claim.attempt == runs.ATTEMPTS + 2


def test_a_heartbeat_does_not_revive_a_lease_that_was_handed_back(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    runs.release(claim)

    assert runs.heartbeat([claim]).lost == {claim.run}
    assert runs.claim(claim.session, claim.run, worker="w2") is not None


def test_a_lapsed_lease_that_nobody_has_claimed_is_renewed_by_its_holder(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    Run.objects.update(lease_until=LONG_AGO)

    assert runs.heartbeat([claim]).lost == set()
    assert runs.claim(claim.session, claim.run, worker="w2") is None


def test_a_failed_run_can_be_tried_again_once_per_command(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    runs.finish(claim, RunFailed(code="provider", message="It broke.", retry=True))
    once = new_client_id()

    first = runs.retry(session, by=owner, client_id=once, run_id=claim.run)
    again = runs.retry(session, by=owner, client_id=once, run_id=claim.run)

    assert (first.run, first.seq, again.repeated) == (again.run, again.seq, True)
    assert Run.objects.get(pk=first.run).replies_to == claim.replies_to


def test_an_answer_that_succeeded_is_not_tried_again(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    runs.finish(claim, RunCompleted())

    with pytest.raises(Conflict):
        runs.retry(session, by=owner, client_id=new_client_id(), run_id=claim.run)


def test_two_janitors_compact_once(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    log.append_as(claim, [delta(start_message(claim), 0, "a")])
    runs.finish(claim, RunCompleted())

    deleted = concurrently(*[partial(runs.compact, delay=timedelta(0)) for _ in range(3)])

    assert sorted(deleted) == [0, 0, 1]  # type: ignore[type-var]
    assert runs.compact(delay=timedelta(0)) == 0


def test_a_run_of_late_is_not_compacted_yet(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    log.append_as(claim, [delta(start_message(claim), 0, "a")])
    runs.finish(claim, RunCompleted())

    assert runs.compact(delay=timedelta(minutes=5)) == 0


def test_the_database_refuses_a_state_that_does_not_exist(session: SessionId) -> None:
    with pytest.raises(IntegrityError, match="check constraint"):
        Run.objects.create(session_id=session, agent="script", asked_seq=1, state="paused")


def test_a_run_that_has_ended_moves_no_more(session: SessionId, owner: Author) -> None:
    runs.finish(post_and_claim(session, owner), RunCompleted())

    for state in RunState:
        if state != RunState.COMPLETED:
            with pytest.raises(IntegrityError, match="no move"):
                Run.objects.update(state=state)


@pytest.mark.parametrize("table", ["run", "session"])
def test_a_row_that_is_updated_all_the_time_leaves_its_indexes_alone(
    session: SessionId, owner: Author, table: str
) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)
    updates, hot = _updates(table)

    for n in range(5):
        runs.heartbeat([claim])
        log.append_as(claim, [delta(message, n, "a")])

    updated, updated_hot = _updates(table)
    assert updated_hot - hot == updated - updates >= 5


def _updates(table: str) -> tuple[int, int]:
    """Returns how many rows of the table were updated, and how many of them without a new entry in an index (HOT)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = %s", [table])
        row: tuple[int, int] = cursor.fetchone()
        return row
