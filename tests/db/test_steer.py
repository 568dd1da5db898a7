"""Messages that are given to a Run at work: taken by it, or the next Message when it ends. Never lost, never both."""

from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction

from sessions_core.models import QueuedMessage, Run, Session, Steer
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import Fenced
from sessions_core.protocol.events import (
    Fact,
    MessageDequeued,
    MessagePosted,
    Part,
    QueuePaused,
    RunCompleted,
    RunFailed,
    RunRequested,
    RunSteered,
)
from sessions_core.protocol.ids import RunId, SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.services import messages, runs
from sessions_core.services.messages import Posted
from tests.db.acts import (
    author,
    concurrently,
    facts,
    kinds,
    new_client_id,
    post_and_claim,
    post_message,
    read_events,
    somebody_waits,
    start_message,
)
from tests.support.waiting import until

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)

FAILED = RunFailed(code="agent_error", message="It failed.", retry=True)
Act = Callable[[], object]


def steer(session: SessionId, by: Author, text: str = "hey", **more: object) -> Posted:
    more.setdefault("client_id", new_client_id())
    part = Part(type="text", text=text)
    return messages.post(session, by=by, parts=[part], policy="steer", **more)  # type: ignore[arg-type]


def steered(session: SessionId) -> list[RunSteered]:
    return [fact for fact in facts(session) if isinstance(fact, RunSteered)]


def run_of(session: SessionId, posted: Posted) -> RunId:
    """The Run that answers the Message."""
    return RunId(Run.objects.get(session_id=session, replies_to=posted.message).pk)


def claim(session: SessionId, run: RunId) -> Claim:
    claimed = runs.claim(session, run, worker="w1")
    assert claimed is not None
    return claimed


def is_paused(session: SessionId) -> bool:
    return Session.objects.filter(pk=session, queue_paused_seq__isnull=False).exists()


def one_after_the_other(run: RunId, *acts: Act) -> None:
    """Lets the acts wait for the row of the Run, in this order, and then go on."""
    threads = [Thread(target=_closing, args=(act,)) for act in acts]
    with transaction.atomic():
        Run.objects.select_for_update().get(pk=run)
        for count, thread in enumerate(threads, 1):
            thread.start()
            until(partial(somebody_waits, count=count))
    for thread in threads:
        thread.join()


def _closing(act: Act) -> None:
    try:
        act()
    finally:
        connection.close()


def test_with_nothing_at_work_it_is_a_message_like_others(session: SessionId, owner: Author) -> None:
    posted = steer(session, owner)

    assert posted.outcome == "sent"
    assert posted.run is not None


def test_a_message_is_given_to_the_run_at_work(session: SessionId, owner: Author) -> None:
    claimed = post_and_claim(session, owner)

    posted = steer(session, owner)

    assert (posted.outcome, posted.run) == ("steering", None)
    fact = facts(session)[-1]
    assert isinstance(fact, MessagePosted)
    assert (fact.state, fact.message) == ("steering", posted.message)
    assert Steer.objects.get().run_id == claimed.run


def test_a_run_that_is_about_to_begin_can_be_given_one(session: SessionId, owner: Author) -> None:
    first = post_message(session, owner)
    steer(session, owner, "hey")

    taken = runs.take_steers(claim(session, first.run), "steers-1")

    assert [each.text for each in taken] == ["hey"]


def test_a_post_that_is_repeated_gives_one(session: SessionId, owner: Author) -> None:
    post_and_claim(session, owner)
    once = new_client_id()

    first, second = steer(session, owner, client_id=once), steer(session, owner, client_id=once)

    assert (second.seq, second.message, second.outcome, second.run) == (first.seq, first.message, "steering", None)
    assert Steer.objects.count() == 1


def test_several_are_taken_together_in_the_order_of_posting(session: SessionId, owner: Author, bob: "User") -> None:
    claimed = post_and_claim(session, owner)
    Session.objects.get(pk=session).participants.create(user=bob, role="editor")
    one, two = steer(session, owner, "one"), steer(session, author(bob), "two")

    taken = runs.take_steers(claimed, "steers-1")

    assert [(each.text, each.author.name) for each in taken] == [("one", "Alice"), ("two", "Bob")]
    assert steered(session) == [RunSteered(message=each.message, consumed=True) for each in (one, two)]
    assert {(event.run, event.actor.kind) for event in read_events(session)[-2:]} == {(claimed.run, "agent")}


def test_what_was_taken_is_no_message_of_its_own(session: SessionId, owner: Author) -> None:
    claimed = post_and_claim(session, owner)
    posted = steer(session, owner)
    runs.take_steers(claimed, "steers-1")

    runs.finish(claimed, RunCompleted())

    assert steered(session) == [RunSteered(message=posted.message, consumed=True)]
    assert not Run.objects.filter(replies_to=posted.message).exists()
    assert not Steer.objects.exists()


def test_facts_before_them_are_appended_with_them_or_not_at_all(session: SessionId, owner: Author) -> None:
    claimed = post_and_claim(session, owner)
    before: list[Fact] = [RunRequested(run=claimed.run, agent="x", parent=claimed.run, replies_to=None)]

    assert not runs.take_steers(claimed, "steers-1", before=before)
    assert kinds(session)[-1] == "run.started"
    steer(session, owner)
    runs.take_steers(claimed, "steers-2", before=before)

    assert kinds(session)[-2:] == ["run.requested", "run.steered"]


def test_a_later_attempt_gets_the_same_by_the_same_call(session: SessionId, owner: Author) -> None:
    first = post_and_claim(session, owner)
    steer(session, owner, "one")
    taken = runs.take_steers(first, "steers-2")
    runs.release(first)
    second = claim(session, first.run)
    steer(session, owner, "two")

    assert runs.take_steers(second, "steers-2") == taken
    assert [each.text for each in runs.take_steers(second, "steers-3")] == ["two"]
    assert len(steered(session)) == 2
    with pytest.raises(Fenced):
        runs.take_steers(first, "steers-2")


def test_what_is_left_becomes_the_next_message_ahead_of_the_queue(session: SessionId, owner: Author) -> None:
    claimed = post_and_claim(session, owner)
    answer = start_message(claimed)
    queued = post_message(session, owner, "queued")
    one, two = steer(session, owner, "one"), steer(session, owner, "two")

    runs.finish(claimed, RunCompleted())

    assert kinds(session)[-6:] == [
        "message.completed",
        *["run.steered", "run.requested"] * 2,
        "run.completed",
    ]
    assert steered(session) == [
        RunSteered(message=one.message, consumed=False, parent=answer),
        RunSteered(message=two.message, consumed=False, parent=one.message),
    ]
    assert runs.claim(session, queued.run, worker="w1") is None
    assert runs.claim(session, run_of(session, two), worker="w1") is None
    for posted in (one, two):
        runs.finish(claim(session, run_of(session, posted)), RunCompleted())
    claim(session, queued.run)
    assert not Steer.objects.exists()


def test_the_run_of_what_is_left_is_its_authors(session: SessionId, owner: Author, bob: "User") -> None:
    claimed = post_and_claim(session, owner)
    Session.objects.get(pk=session).participants.create(user=bob, role="editor")
    posted = steer(session, author(bob))

    runs.finish(claimed, RunCompleted())

    row = Run.objects.get(replies_to=posted.message)
    assert (row.agent, row.requested_by_id) == (claimed.agent, bob.pk)
    requested = [event for event in read_events(session) if event.run == row.pk]
    assert requested[0].actor == author(bob).actor


def test_what_an_answer_that_failed_has_not_taken_is_answered(session: SessionId, owner: Author) -> None:
    claimed = post_and_claim(session, owner)
    posted = steer(session, owner)

    runs.finish(claimed, FAILED)

    claim(session, run_of(session, posted))


def test_what_a_failed_answer_has_left_is_answered_and_the_queue_waits_for_people(
    session: SessionId, owner: Author
) -> None:
    claimed = post_and_claim(session, owner)
    queued = post_message(session, owner, "queued")
    posted = steer(session, owner)

    runs.finish(claimed, FAILED)
    assert facts(session)[-1] == QueuePaused(reason="failed", run=claimed.run)
    runs.finish(claim(session, run_of(session, posted)), RunCompleted())

    assert is_paused(session)  # it was not asked for after the failure, as a retry would have been
    assert runs.claim(session, queued.run, worker="w1") is None
    runs.resume_queue(session, by=owner, client_id=new_client_id())
    claim(session, queued.run)


def test_after_a_stop_it_waits_in_the_paused_queue(session: SessionId, owner: Author) -> None:
    claimed = post_and_claim(session, owner)
    posted = steer(session, owner, "and now?")

    runs.cancel(session, by=owner, client_id=new_client_id(), run_id=claimed.run)
    assert facts(session)[-1] == QueuePaused(reason="stopped", run=claimed.run)
    runs.finish(claimed, RunCompleted())

    assert steered(session) == [RunSteered(message=posted.message, consumed=False, queued=True)]
    assert kinds(session)[-3:] == ["run.steered", "run.requested", "run.cancelled"]
    run = run_of(session, posted)
    assert runs.claim(session, run, worker="w1") is None
    runs.resume_queue(session, by=owner, client_id=new_client_id())
    claim(session, run)
    dequeued = [fact for fact in facts(session) if isinstance(fact, MessageDequeued)]
    assert [fact.message for fact in dequeued] == [posted.message]


def test_a_stop_of_all_does_not_lose_it(session: SessionId, owner: Author) -> None:
    claimed = post_and_claim(session, owner)
    steer(session, owner)

    runs.cancel(session, by=owner, client_id=new_client_id())
    runs.finish(claimed, RunCompleted())

    assert QueuedMessage.objects.exists()
    assert is_paused(session)


def test_a_run_that_waits_and_is_stopped_gives_it_back(session: SessionId, owner: Author) -> None:
    claimed = post_and_claim(session, owner)
    Run.objects.filter(pk=claimed.run).update(
        state=RunState.WAITING, waits_on="children", waiting={"on": "children"}, lease_until=None
    )
    posted = steer(session, owner)
    assert posted.outcome == "steering"

    runs.cancel(session, by=owner, client_id=new_client_id(), run_id=claimed.run)

    assert kinds(session)[-4:] == ["run.steered", "run.requested", "run.cancelled", "queue.paused"]


def test_a_message_that_interrupts_goes_ahead_of_it_and_pauses_nothing(session: SessionId, owner: Author) -> None:
    claimed = post_and_claim(session, owner)
    posted = steer(session, owner)
    ahead = post_message(session, owner, policy="interrupt")
    runs.finish(claimed, RunCompleted())

    assert not is_paused(session)
    runs.finish(claim(session, ahead.run), RunCompleted())
    claim(session, run_of(session, posted))


def test_a_run_that_is_being_stopped_is_given_nothing(session: SessionId, owner: Author) -> None:
    claimed = post_and_claim(session, owner)
    runs.cancel(session, by=owner, client_id=new_client_id(), run_id=claimed.run)

    assert steer(session, owner).outcome == "queued"


def test_what_a_stop_has_left_cannot_be_taken_any_more(session: SessionId, owner: Author) -> None:
    claimed = post_and_claim(session, owner)
    steer(session, owner)
    runs.cancel(session, by=owner, client_id=new_client_id(), run_id=claimed.run)

    with pytest.raises(Fenced):
        runs.take_steers(claimed, "steers-1")


def test_a_heartbeat_sees_what_has_come(session: SessionId, owner: Author) -> None:
    claimed = post_and_claim(session, owner)
    assert runs.heartbeat([claimed]).steered == set()
    steer(session, owner)
    assert runs.heartbeat([claimed]).steered == {claimed.run}
    runs.take_steers(claimed, "steers-1")
    assert runs.heartbeat([claimed]).steered == set()


@pytest.mark.parametrize("post_first", [True, False])
def test_a_message_in_the_last_millisecond_of_a_run_is_answered_once(
    session: SessionId, owner: Author, *, post_first: bool
) -> None:
    claimed = post_and_claim(session, owner)
    acts: list[Act] = [partial(steer, session, owner, "late"), partial(runs.finish, claimed, RunCompleted())]

    one_after_the_other(claimed.run, *(acts if post_first else reversed(acts)))

    posted = [fact for fact in facts(session) if isinstance(fact, MessagePosted)][-1]
    assert posted.state == ("steering" if post_first else "sent")
    assert [(fact.message, fact.consumed) for fact in steered(session)] == [(posted.message, False)] * post_first
    assert Run.objects.filter(replies_to=posted.message).count() == 1


@pytest.mark.parametrize("post_first", [True, False])
def test_a_message_that_comes_while_others_are_taken_is_taken_or_left(
    session: SessionId, owner: Author, *, post_first: bool
) -> None:
    claimed = post_and_claim(session, owner)
    steer(session, owner, "early")
    acts: list[Act] = [partial(steer, session, owner, "late"), partial(runs.take_steers, claimed, "steers-1")]

    one_after_the_other(claimed.run, *(acts if post_first else reversed(acts)))

    assert len(steered(session)) == 1 + post_first
    runs.finish(claimed, RunCompleted())
    assert [fact.consumed for fact in steered(session)] == [True, post_first]


def test_posts_and_the_end_of_their_run_do_not_block_each_other(session: SessionId, owner: Author) -> None:
    for _ in range(5):
        claimed = post_and_claim(session, owner)
        posts = [partial(steer, session, owner) for _ in range(3)]

        results = concurrently(*posts, partial(runs.finish, claimed, RunCompleted()))

        assert not [result for result in results if isinstance(result, Exception)]
        while run := Run.objects.filter(session_id=session, state=RunState.REQUESTED).order_by("asked_seq").first():
            runs.finish(claim(session, RunId(run.pk)), RunCompleted())
    sent = [fact.message for fact in facts(session) if isinstance(fact, MessagePosted)]
    assert set(sent) == set(Run.objects.values_list("replies_to", flat=True))
    assert len(sent) == Run.objects.count()
