"""A row that cannot be handled, or a worker that is missing, harms no other Run, and ends in the log."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from django.db.models.functions import Now

from sessions_core import log
from sessions_core.models import Event, Run, Worker
from sessions_core.protocol.author import Author
from sessions_core.protocol.events import MessageCompleted, RunCompleted, RunFailed, RunWaiting
from sessions_core.protocol.ids import SessionId
from sessions_core.services import runs, sessions, workers
from sessions_core.services.runs import sweep
from sessions_core.services.runs.attempt import HAND_BACKS
from tests.db.acts import delta, facts, kinds, post_and_claim, post_message, start_message
from tests.support.quiet import QuietDispatcher
from tests.support.refusing_log import refusing_events
from tests.support.waiting import DEADLINE_S

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = "2000-01-01T00:00Z"


def test_one_run_that_cannot_be_ended_keeps_the_sweep_from_no_other(
    session: SessionId, owner: Author, caplog: pytest.LogCaptureFixture
) -> None:
    poison, other = post_and_claim(session, owner), post_and_claim(sessions.create(by=owner, agent="script"), owner)
    message = start_message(poison)
    log.append_as(poison, [delta(message, 0, "a")])
    Event.objects.filter(message_id=message, kind="message.delta").update(data={"not": "a delta"})
    Run.objects.update(lease_until=LONG_AGO, attempt=runs.ATTEMPTS, fence=runs.ATTEMPTS)

    runs.end_lapsed()

    states = dict(Run.objects.values_list("pk", "state"))
    assert states == {poison.run: "interrupted", other.run: "interrupted"}
    assert "ends without its open Messages" in caplog.text


@pytest.mark.parametrize("sqlstate", ["54001", "XX000"])
def test_an_end_that_the_log_can_never_take_is_no_outage(session: SessionId, owner: Author, sqlstate: str) -> None:
    claim = post_and_claim(session, owner)
    start_message(claim)
    Run.objects.update(lease_until=LONG_AGO, attempt=runs.ATTEMPTS, fence=runs.ATTEMPTS)

    with refusing_events(sqlstate, kind="message.completed"):
        runs.end_lapsed()

    assert Run.objects.get().state == "interrupted"


def test_a_standby_is_an_outage(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    beside = sessions.create(by=owner, agent="script")
    other = post_message(beside, owner).run

    with refusing_events("25006"):  # it takes no writes
        with pytest.raises(InternalError):
            runs.finish(claim, RunCompleted())
        with pytest.raises(InternalError):
            runs.claim(beside, other, worker="w1")

    assert not Run.objects.exclude(state__in=["running", "requested"]).exists()
    assert Run.objects.get(pk=other).attempt == 0


def test_a_run_that_is_always_handed_back_ends(session: SessionId, owner: Author) -> None:
    run, attempts = post_message(session, owner).run, 0
    while claim := runs.claim(session, run, worker="w1"):
        runs.release(claim)
        attempts += 1
    runs.end_lapsed()

    assert attempts == HAND_BACKS + runs.ATTEMPTS
    assert Run.objects.get().state == "interrupted"


def test_a_message_is_completed_once(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)
    whole = MessageCompleted(message=message, parts=(), state="complete")
    log.append_as(claim, [whole])

    with pytest.raises(IntegrityError):
        log.append_as(claim, [whole])


def test_a_queue_that_holds_a_message_for_each_waiting_run_gets_no_more(
    session: SessionId, owner: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    post_message(session, owner)
    Run.objects.update(woken_at=LONG_AGO)
    monkeypatch.setattr(QuietDispatcher, "held", 1)

    runs.wake_waiting(own_agents=["script"])
    assert Run.objects.get().woken_at.year == 2000

    monkeypatch.setattr(QuietDispatcher, "held", 0)
    runs.wake_waiting(own_agents=["script"])
    assert Run.objects.get().woken_at.year > 2000


@pytest.fixture
def watching() -> Iterator[None]:
    """Another worker has been alive for long, and has other agents."""
    workers.mark_seen("w1", ["guide"])
    Worker.objects.update(started_at=LONG_AGO)
    yield
    Worker.objects.all().delete()


@pytest.mark.usefixtures("watching")
def test_a_run_whose_agent_no_worker_has_ends(session: SessionId, owner: Author) -> None:
    run = post_message(session, owner).run
    Run.objects.update(woken_at=LONG_AGO, requested_at=LONG_AGO)

    runs.wake_waiting(own_agents=["guide"])

    assert Run.objects.get(pk=run).state == "failed"
    assert kinds(session)[-1] == "run.failed"


@pytest.mark.usefixtures("watching")
@pytest.mark.parametrize("parked", [True, False])
def test_a_run_ends_whose_agent_went_away_while_it_waited_or_worked(
    session: SessionId,
    owner: Author,
    parked: bool,  # noqa: FBT001  # a column of the table
) -> None:
    claim = post_and_claim(session, owner)
    if parked:
        runs.park(claim, RunWaiting(on="sleep"))
        Run.objects.update(resume_at=LONG_AGO)
    else:
        Run.objects.update(lease_until=LONG_AGO)

    runs.wake_waiting(own_agents=["guide"])

    assert kinds(session)[-1] == "run.failed"


@pytest.mark.usefixtures("watching")
def test_queued_runs_of_an_agent_that_no_worker_has_end_at_their_turn(session: SessionId, owner: Author) -> None:
    at_work = post_and_claim(session, owner)
    queued = [post_message(session, owner, text).run for text in ("first", "second")]
    other = sessions.create(by=owner, agent="script")
    post_message(other, owner)  # so that the sweep meets the agent
    Run.objects.filter(state="requested").update(agent="gone", woken_at=LONG_AGO, requested_at=LONG_AGO)

    runs.wake_waiting(own_agents=["guide", "script"])
    assert kinds(other)[-1] == "run.failed"
    assert {*Run.objects.filter(pk__in=queued).values_list("state", flat=True)} == {"requested"}

    runs.finish(at_work, RunCompleted())
    runs.wake_waiting(own_agents=["guide", "script"])
    states = [Run.objects.get(pk=run).state for run in queued]
    assert states == ["failed", "requested"]  # the first has paused the queue
    assert "queue.paused" in kinds(session)


@pytest.mark.usefixtures("watching")
@pytest.mark.parametrize("seconds_ago", [0, 40])
def test_a_run_whose_agent_another_worker_had_just_now_is_left_to_it(
    session: SessionId, owner: Author, seconds_ago: int
) -> None:
    run = post_message(session, owner).run
    Run.objects.update(woken_at=LONG_AGO, requested_at=LONG_AGO)
    workers.mark_seen("w2", ["script"])
    Worker.objects.filter(name="w2").update(seen_at=Now() - timedelta(seconds=seconds_ago))  # 40: it is restarting

    runs.wake_waiting(own_agents=["guide"])

    assert Run.objects.get(pk=run).state == "requested"


def test_the_first_worker_after_an_outage_takes_no_agent_for_gone(session: SessionId, owner: Author) -> None:
    run = post_message(session, owner).run
    Run.objects.update(woken_at=LONG_AGO, requested_at=LONG_AGO)

    runs.wake_waiting(own_agents=["guide"])

    assert Run.objects.get(pk=run).state == "requested"


def test_runs_that_nobody_can_take_hide_no_others(owner: Author, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "SWEEP_BATCH", 2)
    hiding = [post_message(sessions.create(by=owner, agent="script"), owner).run for _ in range(3)]
    Run.objects.update(agent="nobody's", woken_at=LONG_AGO, requested_at=LONG_AGO)
    lost = post_message(sessions.create(by=owner, agent="script"), owner).run
    Run.objects.filter(pk=lost).update(woken_at=LONG_AGO)

    runs.wake_waiting(own_agents=["script"])

    assert set(Run.objects.filter(woken_at=LONG_AGO).values_list("pk", flat=True)) == set(hiding)


def test_a_run_that_another_sweep_is_waking_is_passed_over(session: SessionId, owner: Author) -> None:
    post_message(session, owner)
    Run.objects.update(woken_at=LONG_AGO)
    QuietDispatcher.woken.clear()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Run.objects.select_for_update(no_key=True).get()  # as the other sweep holds it
        assert pool.submit(_sweep_with_a_connection_of_its_own).result(DEADLINE_S) is None

    assert QuietDispatcher.woken == []


def _sweep_with_a_connection_of_its_own() -> None:
    try:
        runs.wake_waiting(own_agents=["script"])
    finally:
        connection.close()


def test_a_claim_that_fails_counts_as_an_attempt_and_the_run_ends(
    session: SessionId, owner: Author, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = post_message(session, owner).run
    monkeypatch.setattr(QuietDispatcher, "shown", "\x00")  # PostgreSQL keeps no such character

    assert [runs.claim(session, run, worker="w1") for _ in range(runs.ATTEMPTS)] == [None] * runs.ATTEMPTS

    failed = facts(session)[-1]
    assert isinstance(failed, RunFailed)
    assert failed.code == "agent_error"
    assert "cannot be claimed" in caplog.text
