"""A row that cannot be handled, or a worker that is missing, harms no other Run, and ends in the log."""

import pytest
from django.db import IntegrityError

from sessions_core import log
from sessions_core.models import Event, Run
from sessions_core.protocol.author import Author
from sessions_core.protocol.events import MessageCompleted, RunFailed
from sessions_core.protocol.ids import SessionId
from sessions_core.services import runs, sessions, workers
from tests.db.acts import delta, facts, kinds, post_and_claim, post_message, start_message
from tests.support.quiet import QuietDispatcher

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


def test_a_run_whose_agent_no_worker_has_ends(session: SessionId, owner: Author) -> None:
    run = post_message(session, owner).run
    Run.objects.update(woken_at=LONG_AGO, requested_at=LONG_AGO)

    runs.wake_waiting(own_agents=["guide"])

    assert Run.objects.get(pk=run).state == "failed"
    assert kinds(session)[-1] == "run.failed"


def test_a_run_whose_agent_another_worker_has_is_left_to_it(session: SessionId, owner: Author) -> None:
    run = post_message(session, owner).run
    Run.objects.update(woken_at=LONG_AGO, requested_at=LONG_AGO)
    workers.mark_seen("w2", ["script"])

    runs.wake_waiting(own_agents=["guide"])

    assert Run.objects.get(pk=run).state == "requested"
    workers.remove("w2")


def test_a_claim_that_fails_counts_as_an_attempt_and_the_run_ends(
    session: SessionId, owner: Author, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = post_message(session, owner).run
    monkeypatch.setattr(QuietDispatcher, "shown", "x" * 151)  # the log keeps 150 letters of an actor's name

    assert [runs.claim(run, worker="w1") for _ in range(runs.ATTEMPTS)] == [None] * runs.ATTEMPTS

    failed = facts(session)[-1]
    assert isinstance(failed, RunFailed)
    assert failed.code == "agent_error"
    assert "cannot be claimed" in caplog.text
