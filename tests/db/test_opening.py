"""Where a page of a log begins when Messages were queued or have steered a Run."""

import pytest

from sessions_core import log
from sessions_core.protocol.author import Author
from sessions_core.protocol.events import MessagePosted, Part, RunCompleted, RunFailed, RunSteered
from sessions_core.protocol.ids import SessionId, new_message
from sessions_core.protocol.timeline import fold
from sessions_core.protocol.timeline_types import Timeline
from sessions_core.services import runs
from tests.db.acts import new_client_id, post_and_claim, post_message, start_message

pytestmark = pytest.mark.django_db(transaction=True)


def folded(page: log.LogPage) -> Timeline:
    timeline = Timeline()
    fold(timeline, page.events)
    return timeline


def test_a_queued_message_begins_where_it_was_sent(session: SessionId, owner: Author) -> None:
    first = post_and_claim(session, owner)
    queued = post_message(session, owner, "queued")
    start_message(first)
    runs.finish(first, RunCompleted())
    second = runs.claim(session, queued.run, worker="w1")
    assert second is not None
    runs.finish(second, RunCompleted())

    page = log.open_last(session, messages=1)

    assert page.events[0].kind == "message.dequeued"
    shown = folded(page)
    assert [(message.text, message.actor.name) for message in shown.messages.values()] == [("queued", owner.name)]
    assert [(run.id, run.state) for run in shown.runs.values()] == [(str(queued.run), "completed")]
    three = log.open_last(session, messages=3)  # the queued post is none of them
    assert [m.text for m in folded(three).messages.values() if m.role == "user"] == ["hello", "queued"]


def test_a_message_that_a_run_has_read_is_whole(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    steer = MessagePosted(
        message=new_message(),
        parent=None,
        role="user",
        parts=(Part("text", "shorter"),),
        client_id=None,
        state="steering",
        device=None,
    )
    log.append(session, [steer], actor=owner.actor)
    start_message(claim)
    log.append(session, [RunSteered(message=steer.message, consumed=True)], actor=claim.actor, run=claim.run)
    runs.finish(claim, RunCompleted())

    page = log.open_last(session, messages=1)

    assert folded(page).messages[str(steer.message)].steered == str(claim.run)


def test_a_paused_queue_says_why_on_the_shortest_page(session: SessionId, owner: Author) -> None:
    failed = post_and_claim(session, owner)
    first = post_message(session, owner, "queued")
    runs.finish(failed, RunFailed(code="agent_error", message="It failed.", retry=True))
    later = post_message(session, owner, "at once")
    working = runs.claim(session, later.run, worker="w1")
    assert working
    post_message(session, owner, "queued, too")
    runs.withdraw(session, by=owner, client_id=new_client_id(), message=first.message)

    shown = folded(log.open_last(session, messages=1))

    assert shown.queue
    assert (shown.queue.paused, shown.queue.reason) == (True, "failed")
