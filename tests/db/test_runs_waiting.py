"""A Run that waits is held by no worker, goes on in the same attempt, and can be stopped."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction

from sessions_core import log
from sessions_core.models import Ask, Run, Signal
from sessions_core.protocol import clock
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import Fenced
from sessions_core.protocol.events import RunResumed, RunWaiting
from sessions_core.protocol.ids import RunId, SessionId, new_ask, new_run
from sessions_core.protocol.run_states import RunState
from sessions_core.services import runs, waiting
from tests.db.acts import concurrently, delta, facts, kinds, new_client_id, post_and_claim, start_message

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = "2000-01-01T00:00Z"
SLEEP = RunWaiting(on="sleep", until="2000-01-01T00:00:00.000Z")
SIGNAL = RunWaiting(on="signal", signal="paid")


def resume(run: RunId) -> None:
    with transaction.atomic():
        waiting.resume(run)


def new_attempt(claim: Claim) -> Claim:
    again = runs.claim(claim.session, claim.run, worker="w2")
    assert again is not None
    return again


def test_a_run_that_waits_goes_on_where_it_was(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)
    runs.park(claim, SIGNAL)
    assert runs.claim(claim.session, claim.run, worker="w2") is None

    resume(claim.run)
    resumed = new_attempt(claim)

    assert (resumed.attempt, resumed.fence > claim.fence) == (claim.attempt, True)
    assert facts(session)[-2:] == [SIGNAL, RunResumed(on="signal", signal="paid")]
    log.append_as(resumed, [delta(message, 0, "on")])


def test_whoever_parked_a_run_writes_no_more(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)
    runs.park(claim, SIGNAL)

    with pytest.raises(Fenced):
        log.append_as(claim, [delta(message, 0, "late")])
    with pytest.raises(Fenced):
        runs.park(claim, SIGNAL)
    assert runs.heartbeat([claim]).lost == {claim.run}


def test_waiting_uses_no_attempt_up(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)

    for _ in range(2 * runs.ATTEMPTS):
        runs.park(claim, SIGNAL)
        resume(claim.run)
        claim = new_attempt(claim)

    assert claim.attempt == 1


def test_a_crash_after_a_wait_makes_a_new_attempt(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    runs.park(claim, SIGNAL)
    resume(claim.run)
    new_attempt(claim)
    Run.objects.update(lease_until=LONG_AGO)

    assert new_attempt(claim).attempt == 2
    assert kinds(session)[-2:] == ["run.resumed", "run.restarted"]


def test_of_many_workers_one_goes_on_with_it(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    runs.park(claim, SIGNAL)
    resume(claim.run)

    claims = concurrently(*[partial(runs.claim, claim.session, claim.run, worker=f"w{n}") for n in range(6)])

    assert len([claim for claim in claims if claim is not None]) == 1
    assert kinds(session).count("run.resumed") == 1


def test_what_comes_later_does_not_put_a_run_off_that_may_go_on(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    runs.park(claim, SIGNAL)
    resume(claim.run)
    due = Run.objects.get().resume_at

    resume(claim.run)

    assert Run.objects.get().resume_at == due


def test_the_end_of_a_sleep_wakes_it(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    runs.park(claim, SLEEP, resume_at=clock.now() - timedelta(seconds=1))
    Run.objects.update(woken_at=LONG_AGO)

    runs.wake_waiting(own_agents=["script"])

    assert Run.objects.filter(woken_at__gt="2001-01-01T00:00Z").exists()
    assert new_attempt(claim).attempt == 1


def test_before_its_time_nobody_goes_on_with_it(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    runs.park(claim, SLEEP, resume_at=clock.now() + timedelta(hours=1))
    Run.objects.update(woken_at=LONG_AGO)

    runs.wake_waiting(own_agents=["script"])

    assert not Run.objects.filter(woken_at__gt="2001-01-01T00:00Z").exists()
    assert runs.claim(claim.session, claim.run, worker="w2") is None


def test_an_answer_that_came_before_it_waited_is_not_missed(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    ask = new_ask()
    Ask.objects.create(
        id=ask,
        session_id=session,
        run_id=claim.run,
        key="ask-1",
        kind="form",
        title="Go on?",
        schema={},
        state="answered",
        closed_at=clock.now(),
    )

    runs.park(claim, RunWaiting(on="ask", ask=ask))

    assert new_attempt(claim).attempt == 1


def test_a_signal_that_came_before_it_waited_is_not_missed(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    Signal.objects.create(session_id=session, run_id=claim.run, name="paid", client_id=new_client_id(), received_seq=1)

    runs.park(claim, SIGNAL)

    assert new_attempt(claim).attempt == 1


def test_stop_ends_a_run_that_waits_at_once(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    start_message(claim)
    runs.park(claim, SIGNAL)

    runs.cancel(session, by=owner, client_id=new_client_id())

    assert kinds(session)[-3:] == ["run.cancel_requested", "message.completed", "run.cancelled"]
    resume(claim.run)
    assert runs.claim(claim.session, claim.run, worker="w2") is None


def test_a_run_that_was_stopped_does_not_begin_to_wait(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    runs.cancel(session, by=owner, client_id=new_client_id())

    runs.park(claim, SIGNAL)

    assert kinds(session)[-1] == "run.cancelled"
    assert Run.objects.get().state == RunState.CANCELLED


def test_runs_that_wait_cost_a_sweep_nothing(session: SessionId, owner: Author) -> None:
    runs.park(post_and_claim(session, owner), SLEEP, resume_at=clock.now() + timedelta(hours=1))
    _park_many(session, 2000)
    before = _rows_read()

    runs.end_lapsed()
    runs.wake_waiting(own_agents=["script"])
    runs.waits_longer_than(timedelta(0))

    assert _rows_read() - before < 20


def _park_many(session: SessionId, count: int) -> None:
    like = Run.objects.get(session_id=session)
    columns = {field.attname: getattr(like, field.attname) for field in Run._meta.concrete_fields}
    Run.objects.bulk_create(Run(**columns | {"id": new_run()}) for _ in range(count))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE run")


def _rows_read() -> int:
    """Returns how many rows of the table of Runs were read so far, by an index or without."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'run'")
        return int(cursor.fetchone()[0])
