"""Posting, stopping and marking as read: executed once, answered, or refused with the documented codes."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from tests.support.waiting import until
from tests.ws.tab import Frame, Tab

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from sessions_core.protocol.author import Author
    from sessions_core.protocol.ids import SessionId

AsUser = Callable[..., Tab]
HELLO = [{"type": "text", "text": "hello"}]


def post(tab: Tab, session: object, **fields: object) -> None:
    tab.send("post", **{"id": uuid4(), "session": session, "parts": HELLO, **fields})


@pytest.fixture
def tab(as_user: AsUser, alice: "User") -> Tab:
    return as_user(alice)


@pytest.mark.daphne
def test_a_post_is_answered_when_it_is_in_the_log(tab: Tab, session: "SessionId") -> None:
    from sessions_core import log

    post(tab, session)
    ok = tab.next("ok")

    event = log.read(session, after=ok["seq"] - 1).events[0]
    assert event.kind == "message.posted"
    assert {"message", "run"} < ok.keys()


@pytest.mark.daphne
def test_a_post_twice_has_one_effect_and_one_answer(tab: Tab, session: "SessionId") -> None:
    from sessions_core import log

    once = uuid4()
    post(tab, session, id=once)
    post(tab, session, id=once)

    assert tab.next("ok") == tab.next("ok")
    kinds = [event.kind for event in log.read(session, after=0).events]
    assert kinds.count("message.posted") == 1


def test_posts_keep_their_order(tab: Tab, session: "SessionId") -> None:
    for number in range(5):
        post(tab, session, parts=[{"type": "text", "text": str(number)}])

    seqs = [tab.next("ok")["seq"] for _ in range(5)]
    assert seqs == sorted(seqs)


@pytest.mark.daphne
def test_stop_says_who_stopped(tab: Tab, session: "SessionId") -> None:
    post(tab, session)
    run = tab.next("ok")["run"]
    tab.subscribe(session)

    tab.send("cancel", id=uuid4(), session=session, run=run)

    ok = tab.next("ok")
    assert (ok["run"], ok["outcome"]) == (run, "cancel_requested")
    assert tab.until_kind("run.cancel_requested")["actor"]["name"] == "Alice"
    assert tab.until_kind("run.cancelled")["run"] == run


def test_there_is_nothing_to_stop(tab: Tab, session: "SessionId") -> None:
    tab.send("cancel", id=uuid4(), session=session)

    assert tab.refusal()["code"] == "run_ended"


def test_the_read_mark_moves_forward_only(tab: Tab, session: "SessionId", alice: "User") -> None:
    from sessions_core.protocol.ids import UserId
    from sessions_core.services import sessions

    post(tab, session)
    tab.next("ok")
    tab.send("read", session=session, seq=3)
    tab.send("read", session=session, seq=1)

    until(lambda: sessions.get(session, user=UserId(alice.pk)).read_seq == 3)
    tab.send("ping")
    tab.next("pong")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"parts": []}, "bad_field"),
        ({"parts": [{"type": "text", "text": "  "}]}, "bad_field"),
        ({"parts": [{"type": "text", "text": "a\x00b"}]}, "bad_field"),
        ({"parts": [{"type": "text", "text": "x" * 40_000}]}, "too_large"),
        ({"parts": [{"type": "image", "text": "x"}]}, "bad_field"),
        ({"agent": "nobody"}, "no_such_agent"),
        ({"policy": "later"}, "bad_field"),
        ({"parent": uuid4()}, "bad_field"),
        ({"session": uuid4()}, "not_found"),
        ({"session": "mine"}, "bad_field"),
        ({"id": None}, "bad_field"),
    ],
)
def test_bad_posts_are_refused_and_leave_nothing(
    tab: Tab, session: "SessionId", fields: dict[str, object], code: str
) -> None:
    from sessions_core import log

    post(tab, **{"session": session, **fields})

    assert tab.refusal()["code"] == code
    assert log.heads([session])[session].head == 2


def test_half_a_character_is_refused(tab: Tab, session: "SessionId") -> None:
    once = uuid4()
    tab.send_text(f'{{"type":"post","id":"{once}","session":"{session}","parts":[{{"type":"text","text":"\\ud800"}}]}}')

    assert tab.refusal()["code"] == "bad_field"


def test_a_refusal_is_addressed_as_the_frame_was(tab: Tab) -> None:
    once, nowhere = uuid4(), uuid4()
    post(tab, nowhere, id=once)

    refusal = tab.refusal()
    assert (refusal["id"], refusal["session"]) == (str(once), str(nowhere))


def test_a_post_while_an_answer_is_written_can_be_rejected(tab: Tab, session: "SessionId") -> None:
    post(tab, session)
    tab.next("ok")

    post(tab, session, policy="reject")

    refusal = tab.refusal()
    assert (refusal["code"], refusal["retry"]) == ("run_active", True)


def test_an_archived_session_takes_no_post(tab: Tab, session: "SessionId", owner: "Author") -> None:
    from sessions_core.services import sessions

    sessions.archive(session, by=owner)
    post(tab, session)

    assert tab.refusal()["code"] == "read_only"


def test_a_viewer_reads_and_does_not_write(as_user: AsUser, bob: "User", session: "SessionId", owner: "Author") -> None:
    from sessions_core.models import Participant

    Participant.objects.create(session_id=session, user=bob, role="viewer")
    tab = as_user(bob)

    assert tab.subscribe(session)["role"] == "viewer"
    post(tab, session)
    assert tab.refusal()["code"] == "read_only"


@pytest.mark.parametrize("type", ["post", "cancel", "read"])
def test_a_reading_token_does_not_write(
    connect: Callable[..., Tab], alice: "User", session: "SessionId", type: str
) -> None:
    from sessions_core.services import tokens

    tab = connect(token=tokens.issue(alice, can_write=False))
    tab.hello()
    tab.subscribe(session)
    frames: dict[str, Frame] = {"post": {"id": uuid4(), "parts": HELLO}, "cancel": {"id": uuid4()}, "read": {"seq": 1}}

    tab.send(type, session=session, **frames[type])

    assert tab.refusal()["code"] == "read_only"


def test_an_answer_is_given_anew_once(tab: Tab, session: "SessionId", owner: "Author") -> None:
    from sessions_core.models import Run
    from sessions_core.protocol.events import RunCompleted
    from sessions_core.services import runs
    from tests.db.acts import post_and_claim, start_message

    claim, once = post_and_claim(session, owner), uuid4()
    message = start_message(claim)
    tab.send("regenerate", id=uuid4(), session=session, message=message)
    assert tab.refusal()["code"] == "run_active"
    runs.finish(claim, RunCompleted())

    for _ in range(2):
        tab.send("regenerate", id=once, session=session, message=message)
    first = tab.next("ok")

    assert tab.next("ok") == first
    assert Run.objects.get(pk=first["run"]).replies_to == claim.replies_to


def test_what_is_no_answer_is_not_given_anew(tab: Tab, session: "SessionId") -> None:
    post(tab, session)
    posted = tab.next("ok")

    tab.send("regenerate", id=uuid4(), session=session, message=posted["message"])
    assert tab.refusal()["code"] == "bad_field"
    tab.send("regenerate", id=uuid4(), session=session, message=uuid4())
    assert tab.refusal()["code"] == "not_found"


def test_the_first_message_is_edited(tab: Tab, session: "SessionId") -> None:
    from sessions_core.models import Event

    for parent in (None, UUID(int=0)):
        post(tab, session, parent=parent, policy="interrupt")

    parents = [Event.objects.get(message_id=tab.next("ok")["message"]).data["parent"] for _ in range(2)]
    assert parents == [None, None]


@pytest.mark.parametrize(
    ("type", "fields", "code"),
    [
        ("unqueue", {"message": uuid4()}, "not_queued"),
        ("edit_queued", {"message": uuid4(), "parts": HELLO}, "not_queued"),
        ("edit_queued", {"message": uuid4(), "parts": []}, "bad_field"),
        ("resume_queue", {}, "conflict"),
    ],
)
def test_what_is_not_in_the_queue_cannot_be_changed(
    tab: Tab, session: "SessionId", type: str, fields: dict[str, object], code: str
) -> None:
    tab.send(type, id=uuid4(), session=session, **fields)

    assert tab.refusal()["code"] == code


def test_a_queued_message_is_edited_taken_back_and_its_queue_resumed(tab: Tab, session: "SessionId") -> None:
    for _ in range(3):
        post(tab, session)
    first, second, third = (tab.next("ok") for _ in range(3))
    assert [answer["outcome"] for answer in (first, second, third)] == ["sent", "queued", "queued"]

    tab.send("edit_queued", id=uuid4(), session=session, message=second["message"], parts=HELLO)
    assert tab.next("ok")["message"] == second["message"]
    tab.send("unqueue", id=uuid4(), session=session, message=third["message"])
    assert tab.next("ok")["message"] == third["message"]
    tab.send("cancel", id=uuid4(), session=session, run=first["run"])
    tab.next("ok")
    tab.send("resume_queue", id=uuid4(), session=session)
    tab.next("ok")


@pytest.mark.parametrize(
    ("sqlstate", "code", "retry"),
    [("53300", "busy", True), ("22001", "bad_field", False), ("42P01", "internal", False)],
)
def test_only_what_may_pass_later_is_to_be_repeated(
    tab: Tab, session: "SessionId", sqlstate: str, code: str, *, retry: bool
) -> None:
    from tests.support.refusing_log import refusing_events

    with refusing_events(sqlstate):
        post(tab, session)
        refused = tab.refusal()

    assert (refused["code"], refused["retry"]) == (code, retry)
    assert {"id", "session"} <= refused.keys()
