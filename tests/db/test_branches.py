"""Branches: where a Message hangs, and answers that are given anew (docs/topics/branches.md)."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import pytest

from sessions_core import log
from sessions_core.models import Run, Session
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import BadField, NotFound, RunActive
from sessions_core.protocol.events import (
    Fact,
    MessageDequeued,
    MessagePosted,
    Part,
    QueuePaused,
    RunCancelRequested,
    RunCompleted,
    RunFailed,
    RunRequested,
    RunRestarted,
    RunSteered,
    RunWaiting,
)
from sessions_core.protocol.ids import BEGINNING, MessageId, SessionId, new_message
from sessions_core.protocol.run_states import RunState
from sessions_core.services import messages, runs, sessions
from sessions_core.services.runs import Requested
from tests.db.acts import (
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
    from sessions_core.protocol.errors import Refusal

pytestmark = pytest.mark.django_db(transaction=True)

FAILED = RunFailed(code="agent_error", message="It failed.", retry=True)
PARTS = [Part(type="text", text="go on")]


def say(claimed: Claim) -> MessageId:
    """Answers with one message."""
    message = start_message(claimed)
    runs.finish(claimed, RunCompleted())
    return message


def answered(session: SessionId, by: Author, *, parent: MessageId | None = None) -> tuple[MessageId, MessageId]:
    """Posts a message, and returns its id and that of its answer."""
    posted = post_message(session, by, parent=parent)
    return posted.message, say(claim_run(posted.run))


def regenerate(session: SessionId, by: Author, message: MessageId, **more: object) -> Requested:
    more.setdefault("client_id", new_client_id())
    return runs.regenerate(session, by=by, message=message, **more)  # type: ignore[arg-type]


def parent(session: SessionId, message: MessageId) -> MessageId | None:
    """Returns what the message follows, where it was sent."""

    def is_sent(fact: Fact) -> bool:
        match fact:
            case MessagePosted(state="sent") | MessageDequeued(reason="sent") | RunSteered(consumed=False):
                return fact.message == message
            case _:
                return False

    [sent] = filter(is_sent, facts(session))
    assert isinstance(sent, MessagePosted | MessageDequeued | RunSteered)
    return sent.parent or None


def test_an_answer_is_given_anew_beside_the_one_that_is_there(session: SessionId, owner: Author) -> None:
    question, answer = answered(session, owner)

    run = regenerate(session, owner, answer).run

    assert facts(session)[-1] == RunRequested(run=run, agent="script", parent=None, replies_to=question)
    assert claim_run(run).replies_to == question


def test_any_message_of_a_run_stands_for_its_answer(session: SessionId, owner: Author) -> None:
    claimed = post_and_claim(session, owner)
    start_message(claimed)
    second = say(claimed)

    assert claim_run(regenerate(session, owner, second).run).replies_to == claimed.replies_to


def test_the_same_command_from_many_devices_at_once_gives_one_answer(session: SessionId, owner: Author) -> None:
    _, answer = answered(session, owner)
    once = new_client_id()

    results = concurrently(*[partial(regenerate, session, owner, answer, client_id=once) for _ in range(5)])

    assert len({(result.seq, result.run) for result in results if isinstance(result, Requested)}) == 1
    assert sorted(result.repeated for result in results if isinstance(result, Requested)) == [False] + [True] * 4
    assert Run.objects.count() == 2


def test_the_id_of_another_command_is_refused(session: SessionId, owner: Author) -> None:
    failed = post_and_claim(session, owner)
    said = start_message(failed)
    runs.finish(failed, FAILED)
    posting, trying, anew = new_client_id(), new_client_id(), new_client_id()
    runs.cancel(
        session, by=owner, client_id=new_client_id(), run_id=post_message(session, owner, client_id=posting).run
    )
    again = runs.retry(session, by=owner, client_id=trying, run_id=failed.run).run
    runs.cancel(session, by=owner, client_id=new_client_id(), run_id=again)
    regenerate(session, owner, said, client_id=anew)

    for used in (posting, trying):
        with pytest.raises(BadField, match="used for another command"):
            regenerate(session, owner, said, client_id=used)
    with pytest.raises(BadField, match="used for another command"):
        runs.retry(session, by=owner, client_id=anew, run_id=failed.run)


def unknown(_: SessionId, __: Author) -> MessageId:
    return new_message()


def of_another_session(_: SessionId, owner: Author) -> MessageId:
    return answered(sessions.create(by=owner, agent="script"), owner)[1]


def of_a_person(session: SessionId, owner: Author) -> MessageId:
    return answered(session, owner)[0]


def being_written(session: SessionId, owner: Author) -> MessageId:
    return start_message(post_and_claim(session, owner))


def voided(session: SessionId, owner: Author) -> MessageId:
    claimed = post_and_claim(session, owner)
    message = start_message(claimed)
    runs.void_message(claimed, message)
    runs.finish(claimed, RunCompleted())
    return message


@pytest.mark.parametrize(
    ("make", "refusal", "sentence"),
    [
        (unknown, NotFound, "no such message"),
        (of_another_session, NotFound, "no such message"),
        (voided, NotFound, "no such message"),
        (of_a_person, BadField, "A person has written"),
        (being_written, RunActive, "still works on this answer"),
    ],
)
def test_what_is_no_answer_is_not_given_anew(
    session: SessionId,
    owner: Author,
    make: Callable[[SessionId, Author], MessageId],
    refusal: "type[Refusal]",
    sentence: str,
) -> None:
    message = make(session, owner)
    before = kinds(session)

    with pytest.raises(refusal, match=sentence):
        regenerate(session, owner, message)

    assert kinds(session) == before


def test_while_another_answer_is_written_it_waits_in_the_queue(session: SessionId, owner: Author) -> None:
    _, answer = answered(session, owner)
    working = post_and_claim(session, owner)
    posted = post_message(session, owner)

    run = regenerate(session, owner, answer).run
    last = post_message(session, owner)
    assert isinstance(requested := facts(session)[-3], RunRequested)
    assert requested.queued

    for waits, begins in [(run, posted.run), (last.run, run)]:
        runs.finish(working, RunCompleted())
        assert runs.claim(session, waits, worker="w1") is None
        working = claim_run(begins)


def test_one_that_waits_is_stopped_with_everything(session: SessionId, owner: Author) -> None:
    _, answer = answered(session, owner)
    post_and_claim(session, owner)
    run = regenerate(session, owner, answer).run

    runs.cancel(session, by=owner, client_id=new_client_id())

    assert Run.objects.get(pk=run).state == RunState.CANCELLED
    assert "message.dequeued" not in kinds(session)


def test_one_that_waits_alone_is_paused_and_goes_on(session: SessionId, owner: Author) -> None:
    _, answer = answered(session, owner)
    working = post_and_claim(session, owner)
    run = regenerate(session, owner, answer).run

    runs.cancel(session, by=owner, client_id=new_client_id(), run_id=working.run)
    runs.finish(working, RunCompleted())
    assert QueuePaused(reason="stopped", run=working.run) in facts(session)
    assert runs.claim(session, run, worker="w1") is None

    runs.resume_queue(session, by=owner, client_id=new_client_id())
    claim_run(run)


def test_the_policy_may_refuse_it_or_stop_the_other_answer(session: SessionId, owner: Author) -> None:
    _, answer = answered(session, owner)
    working = post_and_claim(session, owner)
    Session.objects.update(policy="reject")
    with pytest.raises(RunActive):
        regenerate(session, owner, answer)

    Session.objects.update(policy="interrupt")
    run = regenerate(session, owner, answer).run

    assert facts(session)[-2] == RunCancelRequested(by=str(owner.user), device=None, runs=(working.run,))
    runs.finish(working, RunCompleted())
    claim_run(run)


def test_a_message_follows_the_answer_that_was_given_anew(session: SessionId, owner: Author) -> None:
    _, answer = answered(session, owner)
    answered(session, owner)
    anew = say(claim_run(regenerate(session, owner, answer).run))

    assert parent(session, post_message(session, owner).message) == anew


def test_an_answer_anew_that_says_nothing_leaves_the_end_where_it_was(session: SessionId, owner: Author) -> None:
    _, answer = answered(session, owner)
    _, newest = answered(session, owner)
    failed = claim_run(regenerate(session, owner, answer).run)
    runs.finish(failed, FAILED)
    assert parent(session, post_message(session, owner, policy="interrupt").message) == newest
    runs.cancel(session, by=owner, client_id=new_client_id())

    said = say(claim_run(runs.retry(session, by=owner, client_id=new_client_id(), run_id=failed.run).run))

    assert log.find_end(session) != said  # something was sent since
    again = say(claim_run(regenerate(session, owner, said).run))
    assert log.find_end(session) == again


def test_a_message_hangs_where_it_is_posted(session: SessionId, owner: Author) -> None:
    first, answer = answered(session, owner)
    answered(session, owner)

    edited, _ = answered(session, owner, parent=answer)
    beside, _ = answered(session, owner, parent=first)
    beginning, _ = answered(session, owner, parent=BEGINNING)

    assert [parent(session, message) for message in (edited, beside, beginning)] == [answer, first, None]


def test_a_retry_makes_no_branch(session: SessionId, owner: Author) -> None:
    failed = post_and_claim(session, owner)
    runs.finish(failed, FAILED)
    _, newest = answered(session, owner)

    again = runs.retry(session, by=owner, client_id=new_client_id(), run_id=failed.run).run
    once_more = claim_run(again)
    runs.finish(once_more, FAILED)
    run = runs.retry(session, by=owner, client_id=new_client_id(), run_id=again).run
    say(claim_run(run))

    assert {fact.retry_of for fact in facts(session) if isinstance(fact, RunRequested) and fact.retry_of} == {
        failed.run
    }
    assert parent(session, post_message(session, owner).message) == newest


def test_a_message_follows_what_a_retry_has_said(session: SessionId, owner: Author) -> None:
    failed = post_and_claim(session, owner)
    start_message(failed)
    runs.finish(failed, FAILED)
    said = say(claim_run(runs.retry(session, by=owner, client_id=new_client_id(), run_id=failed.run).run))

    assert parent(session, post_message(session, owner).message) == said


def test_what_a_run_says_that_has_slept_is_not_the_end_of_what_has_gone_on(session: SessionId, owner: Author) -> None:
    slept = post_and_claim(session, owner)
    start_message(slept)
    runs.park(slept, RunWaiting(on="sleep", until="2026-01-31T12:00:00.000Z"))
    _, newest = answered(session, owner)
    Run.objects.filter(pk=slept.run).update(resume_at="2026-01-01T00:00Z")

    say(claim_run(slept.run))

    assert parent(session, post_message(session, owner).message) == newest


def test_a_message_follows_a_steer_that_was_taken_last(session: SessionId, owner: Author) -> None:
    claimed = post_and_claim(session, owner)
    start_message(claimed)
    steer = messages.post(session, by=owner, client_id=new_client_id(), parts=PARTS, policy="steer")
    runs.take_steers(claimed, "1")
    runs.finish(claimed, RunCompleted())

    assert parent(session, post_message(session, owner).message) == steer.message


def test_nothing_follows_a_message_that_is_not_sent(session: SessionId, owner: Author) -> None:
    claimed = post_and_claim(session, owner)
    queued = post_message(session, owner).message
    with pytest.raises(BadField, match="still waits"):
        post_message(session, owner, parent=queued)

    runs.withdraw(session, by=owner, client_id=new_client_id(), message=queued)
    with pytest.raises(BadField, match="taken back"):
        post_message(session, owner, parent=queued)

    said = start_message(claimed)
    runs.void_message(claimed, said)
    with pytest.raises(BadField, match="disappeared"):
        post_message(session, owner, parent=said)


def test_a_queued_message_keeps_its_place_and_the_end_is_no_place(session: SessionId, owner: Author) -> None:
    _, first = answered(session, owner)
    working = post_and_claim(session, owner)
    said = start_message(working)

    edited = post_message(session, owner, parent=first)
    beginning = post_message(session, owner, parent=BEGINNING)
    at_the_end = post_message(session, owner, parent=said)
    asked = post_message(session, owner, parent=working.replies_to)

    runs.finish(working, RunCompleted())
    parents, ends = [], []
    for each in (edited, beginning, at_the_end, asked):
        ends.append(log.find_end(session))
        say(claim_run(each.run))
        parents.append(parent(session, each.message))
    assert parents == [first, None, *ends[2:]]


def test_a_place_that_has_disappeared_is_the_end(session: SessionId, owner: Author) -> None:
    working = post_and_claim(session, owner)
    first, second = start_message(working), start_message(working)
    queued = post_message(session, owner, parent=first)
    log.append_as(working, [RunRestarted(attempt=1, voided=(first,))])
    runs.finish(working, RunCompleted())
    claim_run(queued.run)

    assert parent(session, queued.message) == second


def test_what_is_posted_to_another_branch_steers_no_run(session: SessionId, owner: Author) -> None:
    _, answer = answered(session, owner)
    post_and_claim(session, owner)

    assert post_message(session, owner, parent=answer, policy="steer").outcome == "queued"
