"""The queue of a Session: its order, its pause, and what people do with it."""

from functools import partial
from typing import TYPE_CHECKING

import pytest

from sessions_core import log
from sessions_core.models import QueuedMessage, Run, Session
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import Conflict, NotQueued, RunActive
from sessions_core.protocol.events import (
    MessageDequeued,
    MessagePosted,
    MessageQueuedEdited,
    Part,
    QueuePaused,
    QueueResumed,
    RunCancelRequested,
    RunCompleted,
    RunFailed,
)
from sessions_core.protocol.ids import MessageId, RunId, SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.services import messages, runs
from tests.db.acts import (
    author,
    claim_run,
    concurrently,
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

FAILED = RunFailed(code="agent_error", message="It failed.", retry=True)
OTHER = [Part(type="text", text="something else")]


def stop(session: SessionId, by: Author, run: RunId | None = None) -> None:
    runs.cancel(session, by=by, client_id=new_client_id(), run_id=run)


def withdraw(session: SessionId, by: Author, message: MessageId) -> int:
    return runs.withdraw(session, by=by, client_id=new_client_id(), message=message).seq


def resume(session: SessionId, by: Author) -> int:
    return runs.resume_queue(session, by=by, client_id=new_client_id()).seq


def edit(session: SessionId, by: Author, message: MessageId) -> int:
    return messages.edit_queued(session, by=by, client_id=new_client_id(), message=message, parts=OTHER).seq


def is_paused(session: SessionId) -> bool:
    return Session.objects.filter(pk=session, queue_paused_seq__isnull=False).exists()


def test_a_queued_message_stands_where_it_was_sent(session: SessionId, owner: Author) -> None:
    first = post_and_claim(session, owner)
    queued = post_message(session, owner, "second")
    answer = start_message(first)
    assert (queued.outcome, runs.claim(session, queued.run, worker="w1")) == ("queued", None)

    runs.finish(first, RunCompleted())
    claim_run(queued.run)

    assert kinds(session)[-3:] == ["run.completed", "message.dequeued", "run.started"]
    dequeued = facts(session)[-2]
    assert dequeued == MessageDequeued(
        message=queued.message,
        reason="sent",
        parent=answer,
        parts=(Part(type="text", text="second"),),
        agent=first.agent,
    )
    event = log.read(session, after=0).events[-2]
    assert (event.actor, event.run) == (owner.actor, queued.run)
    assert not QueuedMessage.objects.exists()


def test_a_queued_message_is_no_parent_of_what_is_posted_after_it(session: SessionId, owner: Author) -> None:
    claimed = post_and_claim(session, owner)
    post_message(session, owner)
    answer = start_message(claimed)

    post_message(session, owner, policy="interrupt")

    assert [fact for fact in facts(session) if isinstance(fact, MessagePosted)][-1].parent == answer


def test_the_queue_keeps_the_order_of_posting(session: SessionId, owner: Author) -> None:
    first = post_and_claim(session, owner)
    second, third = post_message(session, owner), post_message(session, owner)
    runs.finish(first, RunCompleted())

    assert runs.claim(session, third.run, worker="w1") is None
    runs.finish(claim_run(second.run), RunCompleted())
    claim_run(third.run)


def test_a_text_that_was_edited_is_sent(session: SessionId, owner: Author) -> None:
    first = post_and_claim(session, owner)
    queued = post_message(session, owner)
    edit(session, owner, queued.message)
    runs.finish(first, RunCompleted())
    claim_run(queued.run)

    assert MessageQueuedEdited(message=queued.message, parts=tuple(OTHER)) in facts(session)
    sent = [fact for fact in facts(session) if isinstance(fact, MessageDequeued)]
    assert [fact.parts for fact in sent] == [tuple(OTHER)]
    with pytest.raises(NotQueued):
        edit(session, owner, queued.message)
    with pytest.raises(NotQueued):
        withdraw(session, owner, queued.message)


def test_a_message_that_was_taken_back_gets_no_answer(session: SessionId, owner: Author) -> None:
    first = post_and_claim(session, owner)
    queued = post_message(session, owner)
    withdraw(session, owner, queued.message)
    runs.finish(first, RunCompleted())

    assert runs.claim(session, queued.run, worker="w1") is None
    assert kinds(session)[-3:] == ["message.dequeued", "run.cancelled", "run.completed"]
    with pytest.raises(NotQueued):
        withdraw(session, owner, queued.message)


def test_an_editor_changes_what_others_queued(session: SessionId, owner: Author, bob: "User") -> None:
    post_and_claim(session, owner)
    queued = post_message(session, owner)
    Session.objects.get(pk=session).participants.create(user=bob, role="editor")

    edit(session, author(bob), queued.message)
    withdraw(session, author(bob), queued.message)


@pytest.mark.parametrize("outcome", [FAILED, None])
def test_the_queue_pauses_when_the_answer_fails_or_is_stopped(
    session: SessionId, owner: Author, outcome: RunFailed | None
) -> None:
    first = post_and_claim(session, owner)
    queued = post_message(session, owner)
    if outcome is None:
        stop(session, owner, first.run)
    runs.finish(first, outcome or RunCompleted())

    assert QueuePaused(reason="failed" if outcome else "stopped", run=first.run) in facts(session)
    assert runs.claim(session, queued.run, worker="w1") is None

    resume(session, owner)

    assert facts(session)[-1] == QueueResumed(by=str(owner.user))
    claim_run(queued.run)
    with pytest.raises(Conflict):
        resume(session, owner)


def test_without_queued_messages_nothing_pauses(session: SessionId, owner: Author) -> None:
    runs.finish(post_and_claim(session, owner), FAILED)

    assert "queue.paused" not in kinds(session)


def test_a_post_to_a_paused_queue_is_answered_at_once_and_its_completion_resumes(
    session: SessionId, owner: Author
) -> None:
    first = post_and_claim(session, owner)
    queued = post_message(session, owner)
    runs.finish(first, FAILED)

    later = post_message(session, owner)
    assert later.outcome == "sent"
    working = claim_run(later.run)
    assert is_paused(session)
    runs.finish(working, RunCompleted())

    assert facts(session)[-1] == QueueResumed()
    claim_run(queued.run)


def test_a_retry_that_completes_resumes_the_queue(session: SessionId, owner: Author) -> None:
    first = post_and_claim(session, owner)
    queued = post_message(session, owner)
    runs.finish(first, FAILED)

    again = runs.retry(session, by=owner, client_id=new_client_id(), run_id=first.run)
    runs.finish(claim_run(again.run), FAILED)
    assert is_paused(session)
    again = runs.retry(session, by=owner, client_id=new_client_id(), run_id=again.run)
    runs.finish(claim_run(again.run), RunCompleted())

    claim_run(queued.run)


def test_the_pause_ends_with_the_last_message_taken_back(session: SessionId, owner: Author) -> None:
    first = post_and_claim(session, owner)
    queued = post_message(session, owner)
    runs.finish(first, FAILED)

    withdraw(session, owner, queued.message)

    assert not is_paused(session)
    assert post_message(session, owner).outcome == "sent"


def test_an_interrupting_message_goes_ahead_and_does_not_pause(session: SessionId, owner: Author) -> None:
    first = post_and_claim(session, owner)
    queued = post_message(session, owner)

    ahead = post_message(session, owner, policy="interrupt")

    assert ahead.outcome == "sent"
    assert [fact.runs for fact in facts(session) if isinstance(fact, RunCancelRequested)] == [(first.run,)]
    assert runs.claim(session, ahead.run, worker="w1") is None  # the stopped one writes its end first
    runs.finish(first, RunCompleted())
    assert runs.claim(session, queued.run, worker="w1") is None
    runs.finish(claim_run(ahead.run), RunCompleted())
    claim_run(queued.run)
    assert "queue.paused" not in kinds(session)


def test_two_interrupting_messages_are_answered_one_after_the_other(session: SessionId, owner: Author) -> None:
    post_and_claim(session, owner)

    results = concurrently(*[partial(post_message, session, owner, policy="interrupt") for _ in range(4)])

    assert not [result for result in results if isinstance(result, Exception)]
    holding = Run.objects.filter(session_id=session, state=RunState.REQUESTED)
    assert holding.count() == 1  # each has stopped the one before


def test_a_message_is_refused_while_an_answer_is_next(session: SessionId, owner: Author) -> None:
    first = post_and_claim(session, owner)
    post_message(session, owner)
    runs.finish(first, RunCompleted())

    with pytest.raises(RunActive):
        post_message(session, owner, policy="reject")


def test_stop_of_all_takes_queued_messages_back(session: SessionId, owner: Author) -> None:
    first = post_and_claim(session, owner)
    queued = post_message(session, owner)

    stop(session, owner)

    assert MessageDequeued(message=queued.message, reason="withdrawn") in facts(session)
    assert Run.objects.get(pk=queued.run).state == RunState.CANCELLED
    runs.finish(first, RunCompleted())
    assert post_message(session, owner).outcome == "sent"


def test_stop_of_a_queued_answer_takes_its_message_back_and_pauses_nothing(session: SessionId, owner: Author) -> None:
    first = post_and_claim(session, owner)
    queued, other = post_message(session, owner), post_message(session, owner)

    stop(session, owner, queued.run)
    runs.finish(first, RunCompleted())

    assert "queue.paused" not in kinds(session)
    claim_run(other.run)


def test_a_run_that_sleeps_gives_its_turn_up(session: SessionId, owner: Author) -> None:
    sleeper = post_and_claim(session, owner)
    queued = post_message(session, owner)
    Run.objects.filter(pk=sleeper.run).update(
        state=RunState.WAITING, waits_on="sleep", waiting={"on": "sleep"}, lease_until=None
    )

    claim_run(queued.run)


def test_a_run_that_asks_keeps_its_turn(session: SessionId, owner: Author) -> None:
    asking = post_and_claim(session, owner)
    queued = post_message(session, owner)
    Run.objects.filter(pk=asking.run).update(
        state=RunState.WAITING, waits_on="ask", waiting={"on": "ask"}, lease_until=None
    )

    assert runs.claim(session, queued.run, worker="w1") is None


def test_a_message_is_sent_or_taken_back_never_both(session: SessionId, owner: Author) -> None:
    for _ in range(5):
        first = post_and_claim(session, owner)
        queued = post_message(session, owner)
        runs.finish(first, RunCompleted())

        claimed, withdrawn = concurrently(
            partial(runs.claim, session, queued.run, worker="w1"), partial(withdraw, session, owner, queued.message)
        )

        if isinstance(claimed, Claim):
            assert isinstance(withdrawn, NotQueued)
            runs.finish(claimed, RunCompleted())
        else:
            assert claimed is None
            assert isinstance(withdrawn, int)


def test_the_text_that_was_acknowledged_is_the_text_that_is_sent(session: SessionId, owner: Author) -> None:
    for _ in range(5):
        first = post_and_claim(session, owner)
        queued = post_message(session, owner)
        runs.finish(first, RunCompleted())

        claimed, edited = concurrently(
            partial(runs.claim, session, queued.run, worker="w1"), partial(edit, session, owner, queued.message)
        )

        sent = [fact for fact in facts(session) if isinstance(fact, MessageDequeued)][-1]
        assert isinstance(edited, NotQueued | int)
        assert (sent.parts == tuple(OTHER)) == isinstance(edited, int)
        assert isinstance(claimed, Claim)
        runs.finish(claimed, RunCompleted())


def test_a_command_on_the_queue_is_carried_out_once(session: SessionId, owner: Author) -> None:
    first = post_and_claim(session, owner)
    queued, other = post_message(session, owner), post_message(session, owner)
    edit_id, withdraw_id, resume_id = new_client_id(), new_client_id(), new_client_id()

    edited = [
        messages.edit_queued(session, by=owner, client_id=edit_id, message=queued.message, parts=OTHER).seq
        for _ in range(2)
    ]
    withdrawn = [runs.withdraw(session, by=owner, client_id=withdraw_id, message=queued.message).seq for _ in range(2)]
    stop(session, owner, first.run)
    resumed = [runs.resume_queue(session, by=owner, client_id=resume_id).seq for _ in range(2)]

    assert [len(set(seqs)) for seqs in (edited, withdrawn, resumed)] == [1, 1, 1]
    assert QueuedMessage.objects.get().message == other.message
