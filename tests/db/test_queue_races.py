"""Acts on one Session at the same moment, with a connection each: the turn is held by one, and the queue loses nothing."""

import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import transaction

from sessions_core.models import QueuedMessage, Run, Session
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import RunEnded
from sessions_core.protocol.events import MessagePosted, RunCancelRequested, RunCompleted, RunFailed
from sessions_core.protocol.ids import RunId, SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.services import runs
from tests.db.acts import (
    Posted,
    concurrently,
    facts,
    kinds,
    new_client_id,
    post_and_claim,
    post_message,
    somebody_waits,
)
from tests.support.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
FAILED = RunFailed(code="agent_error", message="It failed.", retry=True)


def claim(session: SessionId, run: RunId) -> Claim | None:
    return runs.claim(session, run, worker="w1")


def retry(session: SessionId, by: Author, run: RunId) -> RunId:
    return runs.retry(session, by=by, client_id=new_client_id(), run_id=run).run


def resume(session: SessionId, by: Author) -> int:
    return runs.resume_queue(session, by=by, client_id=new_client_id()).seq


def pause(session: SessionId, by: Author) -> tuple[RunId, RunId]:
    """Lets an answer fail after a Message was queued. Returns the Run that failed and the one that is queued."""
    failed = post_and_claim(session, by)
    queued = post_message(session, by)
    runs.finish(failed, FAILED)
    return failed.run, queued.run


def while_it_waits(run: RunId, late: Callable[[], object], early: Callable[[], object]) -> object:
    """Lets `late` begin, and wait for the row of the Run; meanwhile `early` is carried out. Returns what `late` returned."""
    is_locked = threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Run.objects.select_for_update().get(pk=run)
            is_locked.set()
            until(somebody_waits)
            (failure,) = concurrently(early)
            assert not isinstance(failure, Exception), failure

    def begin() -> object:
        is_locked.wait()
        return late()

    held, outcome = concurrently(hold, begin)
    assert held is None, held
    return outcome


def test_a_queued_message_makes_way_for_a_retry_that_came_during_its_claim(session: SessionId, owner: Author) -> None:
    failed, queued = pause(session, owner)
    resume(session, owner)

    claimed = while_it_waits(
        queued, partial(claim, session, queued), lambda: claim(session, retry(session, owner, failed))
    )

    assert claimed is None
    assert Run.objects.filter(state=RunState.RUNNING).count() == 1
    assert QueuedMessage.objects.count() == 1


def test_a_queued_message_stays_when_the_queue_was_paused_during_its_claim(session: SessionId, owner: Author) -> None:
    failed, queued = pause(session, owner)
    resume(session, owner)

    def fail_again() -> None:
        again = claim(session, retry(session, owner, failed))
        assert again is not None
        runs.finish(again, FAILED)

    assert while_it_waits(queued, partial(claim, session, queued), fail_again) is None
    assert kinds(session)[-1] == "queue.paused"


def test_an_interrupting_message_and_a_claim_do_not_work_side_by_side(session: SessionId, owner: Author) -> None:
    for _ in range(5):
        first = post_and_claim(session, owner)
        queued = post_message(session, owner)
        runs.finish(first, RunCompleted())

        claimed, ahead = concurrently(
            partial(claim, session, queued.run), partial(post_message, session, owner, policy="interrupt")
        )

        assert isinstance(ahead, Posted)
        if isinstance(claimed, Claim):
            reached = [fact.runs for fact in facts(session) if isinstance(fact, RunCancelRequested)][-1]
            assert reached == (queued.run,)
            runs.finish(claimed, RunCompleted())
        last = claim(session, ahead.run)
        assert last is not None
        runs.finish(last, RunCompleted())
        if claimed is None:
            after = claim(session, queued.run)
            assert after is not None
            runs.finish(after, RunCompleted())
        assert not Run.objects.filter(state__in=[RunState.REQUESTED, RunState.RUNNING]).exists()


def test_an_interrupting_message_and_the_claim_of_the_answer_it_stops(session: SessionId, owner: Author) -> None:
    for _ in range(5):
        first = post_message(session, owner)

        claimed, ahead = concurrently(
            partial(claim, session, first.run), partial(post_message, session, owner, policy="interrupt")
        )

        assert isinstance(ahead, Posted)
        if isinstance(claimed, Claim):
            assert claim(session, ahead.run) is None
            runs.finish(claimed, RunCompleted())
        assert Run.objects.get(pk=first.run).state == RunState.CANCELLED
        last = claim(session, ahead.run)
        assert last is not None
        runs.finish(last, RunCompleted())


def test_a_message_posted_while_an_answer_fails_waits_or_is_sent(session: SessionId, owner: Author) -> None:
    for _ in range(5):
        first = post_and_claim(session, owner)

        ended, posted = concurrently(partial(runs.finish, first, FAILED), partial(post_message, session, owner))

        assert ended is None
        assert isinstance(posted, Posted)
        is_paused = Session.objects.filter(pk=session, queue_paused_seq__isnull=False).exists()
        assert is_paused == (posted.outcome == "queued")
        if is_paused:
            resume(session, owner)
        last = claim(session, posted.run)
        assert last is not None
        runs.finish(last, RunCompleted())


def test_stop_of_all_reaches_what_was_posted_before_it(session: SessionId, owner: Author) -> None:
    for _ in range(5):
        post_and_claim(session, owner)

        _, *posted = concurrently(
            partial(runs.cancel, session, by=owner, client_id=new_client_id()),
            *[partial(post_message, session, owner) for _ in range(3)],
        )

        log = facts(session)
        stopped_at = max(index for index, fact in enumerate(log) if isinstance(fact, RunCancelRequested))
        reached = next(fact.runs for fact in reversed(log) if isinstance(fact, RunCancelRequested))
        for post in posted:
            assert isinstance(post, Posted)
            posted_at = next(
                index
                for index, fact in enumerate(log)
                if isinstance(fact, MessagePosted) and fact.message == post.message
            )
            assert (post.run in reached) == (posted_at < stopped_at)
        runs.cancel(session, by=owner, client_id=new_client_id())
        for run in Run.objects.filter(state=RunState.RUNNING):
            Run.objects.filter(pk=run.pk).update(lease_until="2000-01-01T00:00Z")
        runs.end_lapsed()


def test_all_kinds_of_acts_at_once_block_nobody_for_ever(session: SessionId, owner: Author) -> None:
    for _ in range(4):
        first = post_message(session, owner)
        second = post_message(session, owner)

        outcomes = concurrently(
            partial(claim, session, first.run),
            partial(claim, session, second.run),
            partial(post_message, session, owner, policy="interrupt"),
            partial(post_message, session, owner),
            partial(runs.cancel, session, by=owner, client_id=new_client_id(), run_id=first.run),
            partial(post_message, session, owner, policy="interrupt"),
        )

        errors = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert all(isinstance(error, RunEnded) for error in errors), errors
        assert Run.objects.filter(state=RunState.RUNNING).count() <= 1
        runs.cancel(session, by=owner, client_id=new_client_id())
        Run.objects.filter(state=RunState.RUNNING).update(lease_until="2000-01-01T00:00Z")
        runs.end_lapsed()
