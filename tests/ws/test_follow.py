"""Following a Session: cold, resumed and live; also after its log was replaced."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.ws.tab import Tab

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from sessions_core.protocol.author import Author
    from sessions_core.protocol.ids import SessionId

AsUser = Callable[..., Tab]

pytestmark = pytest.mark.daphne


def test_cold_start_shows_the_log_and_stays_live(
    as_user: AsUser, alice: "User", owner: "Author", session: "SessionId"
) -> None:
    from tests.db.acts import post_message

    post_message(session, owner, "before")
    tab = as_user(alice)

    subscribed = tab.subscribe(session)
    assert (subscribed["restart"], subscribed["role"]) == (False, "owner")
    assert tab.next("events")["older"] is False

    posted = post_message(session, owner, "after")
    tab.until_seq(posted.seq + 1)
    assert tab.seqs == list(range(tab.seqs[0], tab.cursor + 1))


def test_cold_start_with_few_messages_says_that_there_are_older(
    as_user: AsUser, alice: "User", owner: "Author", session: "SessionId"
) -> None:
    from sessions_core.services import runs
    from tests.db.acts import new_client_id, post_message

    for _ in range(3):
        post_message(session, owner)
        runs.cancel(session, by=owner, client_id=new_client_id())
    tab = as_user(alice)

    tab.subscribe(session, last=1)

    first = tab.next("events")
    assert first["older"] is True
    assert first["events"][0]["kind"] == "message.posted"


def test_resume_replays_then_stays_live(as_user: AsUser, alice: "User", owner: "Author", session: "SessionId") -> None:
    from tests.db.acts import post_message

    tab = as_user(alice)
    epoch = tab.subscribe(session)["epoch"]
    tab.until_seq(2)
    missed = post_message(session, owner, "missed")

    again = as_user(alice)
    again.cursor = 2
    assert again.subscribe(session, after=2, epoch=epoch)["restart"] is False
    again.until_seq(missed.seq + 1)
    live = post_message(session, owner, "live")
    again.until_seq(live.seq + 1)

    assert again.seqs == list(range(3, again.cursor + 1))


def test_a_cursor_of_the_future_restarts(as_user: AsUser, alice: "User", session: "SessionId") -> None:
    tab = as_user(alice)

    subscribed = tab.subscribe(session, after=999, epoch=1)

    assert subscribed["restart"] is True
    tab.until_seq(subscribed["head"])


def test_a_cursor_of_another_epoch_restarts(as_user: AsUser, alice: "User", session: "SessionId") -> None:
    tab = as_user(alice)

    subscribed = tab.subscribe(session, after=1, epoch=77)

    assert subscribed["restart"] is True
    assert subscribed["epoch"] == 1
    tab.until_seq(subscribed["head"])


def test_a_log_that_was_restored_restarts_its_readers(as_user: AsUser, alice: "User", session: "SessionId") -> None:
    from sessions_core import log

    tab = as_user(alice)
    tab.subscribe(session)
    tab.until_seq(2)

    log.bump_epoch()

    again = tab.next("subscribed")
    assert again["restart"] is True
    assert tab.next("events")["epoch"] == again["epoch"] > 1


def test_half_a_cursor_is_refused(as_user: AsUser, alice: "User", session: "SessionId") -> None:
    tab = as_user(alice)

    tab.send("subscribe", session=session, after=1)

    assert tab.refusal()["code"] == "bad_field"


def test_subscribing_again_goes_on_from_the_new_cursor(
    as_user: AsUser, alice: "User", owner: "Author", session: "SessionId"
) -> None:
    from tests.db.acts import post_message

    tab = as_user(alice)
    tab.subscribe(session)
    tab.until_seq(2)
    tab.subscribe(session, after=1, epoch=1)
    assert tab.next("events")["from"] == 1

    posted = post_message(session, owner)
    tab.until_seq(posted.seq + 1)
    assert len(tab.seqs) == len(set(tab.seqs))


def test_nothing_comes_after_unsubscribing(
    as_user: AsUser, alice: "User", owner: "Author", session: "SessionId"
) -> None:
    from tests.db.acts import post_message

    tab = as_user(alice)
    tab.subscribe(session)
    tab.until_seq(2)
    tab.send("unsubscribe", session=session)
    tab.next("unsubscribed", session=session)
    before = len(tab.applied)

    post_message(session, owner)
    tab.send("ping", n=1)

    assert tab.next("pong") == {"type": "pong", "heads": {}, "n": 1}
    assert len(tab.applied) == before


def test_many_sessions_share_one_socket(as_user: AsUser, alice: "User", owner: "Author") -> None:
    from sessions_core.services import sessions
    from tests.db.acts import post_message

    mine = [sessions.create(by=owner, agent="script") for _ in range(5)]
    tab = as_user(alice)
    for each in mine:
        tab.cursor = -1
        tab.subscribe(each)
    for each in mine:
        tab.cursor = 2
        post_message(each, owner)
        assert tab.next("events", session=each)["events"]


def test_another_persons_session_and_none_look_the_same(as_user: AsUser, mallory: "User", session: "SessionId") -> None:
    tab = as_user(mallory)
    answers = []
    for asked in (session, uuid4()):
        tab.send("subscribe", session=asked)
        refusal = tab.refusal()
        assert refusal.pop("session") == str(asked)
        answers.append(refusal)

    assert answers[0] == answers[1]
    assert answers[0]["code"] == "not_found"


def test_a_ping_tells_the_heads(as_user: AsUser, alice: "User", session: "SessionId") -> None:
    tab = as_user(alice)
    tab.subscribe(session)

    tab.send("ping")

    assert tab.next("pong") == {"type": "pong", "heads": {str(session): 2}}


def test_one_tab_writes_and_another_sees_it(as_user: AsUser, alice: "User", session: "SessionId") -> None:
    laptop, phone = as_user(alice), as_user(alice)
    phone.subscribe(session)

    laptop.send("post", id=uuid4(), session=session, parts=[{"type": "text", "text": "hello"}])
    ok = laptop.next("ok")

    phone.until_seq(ok["seq"])
    assert phone.applied[-1]["kind"] in {"message.posted", "session.renamed", "run.requested"}


@pytest.mark.parametrize("cursor", [{"last": 60}, {"after": 1, "epoch": 99}], ids=["cold", "restart"])
def test_a_cold_start_larger_than_the_send_buffer_comes_whole_in_pages(
    as_user: AsUser, alice: "User", owner: "Author", session: "SessionId", cursor: dict[str, int]
) -> None:
    from sessions_core.log.ranges import PAGE_BYTES
    from tests.db.acts import post_message

    for n in range(45):  # more could not wait for their answers
        post_message(session, owner, f"{n} " + "x" * 15_000)
    tab = as_user(alice)

    assert tab.subscribe(session, **cursor)["restart"] is ("after" in cursor)
    tab.until_seq(post_message(session, owner, "after").seq)

    pages = [frame for frame in tab.frames if frame["type"] == "events"]
    assert tab.seqs == list(range(pages[0]["from"] + 1, tab.cursor + 1))
    assert len([event for event in tab.applied if event["kind"] == "message.posted"]) == 46
    assert ["older" in page for page in pages] == [True] + [False] * (len(pages) - 1)
    assert max(len(json.dumps(page)) for page in pages) < PAGE_BYTES * 1.2


def test_an_event_larger_than_a_page_passes_a_cold_start(
    as_user: AsUser, alice: "User", owner: "Author", session: "SessionId"
) -> None:
    from sessions_core import log
    from sessions_core.protocol.events import RunProgressed

    log.append(session, [RunProgressed(label="x" * 1_200_000)], actor=owner.actor)
    tab = as_user(alice)

    tab.subscribe(session)
    tab.until_seq(3)

    assert tab.seqs == [1, 2, 3]
