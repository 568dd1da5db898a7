"""A worker was killed because an agent had blocked it, or by an agent."""

import pytest

from sessions_core.models import Run
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import MessageCompleted, RunFailed
from sessions_core.protocol.ids import SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.services import runs, sessions
from tests.db.acts import facts, kinds, new_client_id, post_and_claim, post_message, start_message

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_run_that_blocked_ends_and_keeps_its_text(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    start_message(claim)

    runs.end_blocked("w1", (claim.run, claim.fence))

    *_, completed, failed = facts(session)
    assert isinstance(completed, MessageCompleted)
    assert completed.state == "failed"
    assert isinstance(failed, RunFailed)
    assert failed.code == "agent_blocked"


def test_the_others_go_on_at_once_and_lose_no_attempt(session: SessionId, owner: Author) -> None:
    blocking = post_and_claim(session, owner)
    innocent = post_and_claim(sessions.create(by=owner, agent="script"), owner)

    runs.end_blocked("w1", (blocking.run, blocking.fence))

    again = runs.claim(innocent.session, innocent.run, worker="w2")
    assert again is not None
    row = Run.objects.get(pk=innocent.run)
    assert row.attempt - row.handed_back == 1


def test_where_nobody_knows_which_run_it_was_all_lose_an_attempt(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)

    runs.end_blocked("w1", None)

    assert Run.objects.get(pk=claim.run).handed_back == 0
    assert runs.claim(claim.session, claim.run, worker="w2") is not None


def test_of_a_worker_that_died_only_the_run_it_executed_loses_an_attempt(session: SessionId, owner: Author) -> None:
    deadly = post_and_claim(session, owner)
    innocent = post_and_claim(sessions.create(by=owner, agent="script"), owner)

    runs.hand_over("w1", (deadly.run, deadly.fence))

    again = [runs.claim(old.session, old.run, worker="w2") for old in (deadly, innocent)]
    assert all(again)
    counted = {row.pk: row.attempt - row.handed_back for row in Run.objects.all()}
    assert counted == {deadly.run: 2, innocent.run: 1}


def test_a_run_that_another_worker_has_taken_meanwhile_is_left_alone(session: SessionId, owner: Author) -> None:
    old = post_and_claim(session, owner)
    runs.release(old)
    taken: Claim | None = runs.claim(old.session, old.run, worker="w2")

    runs.end_blocked("w1", (old.run, old.fence))

    assert taken is not None
    assert Run.objects.get(pk=old.run).state == RunState.RUNNING
    assert "run.failed" not in kinds(session)


def test_runs_that_wait_behind_it_are_not_touched(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    waiting = post_message(session, owner).run

    runs.end_blocked("w1", (claim.run, claim.fence))
    runs.resume_queue(session, by=owner, client_id=new_client_id())

    assert runs.claim(session, waiting, worker="w2") is not None
