import pytest
from django.contrib.auth.models import User

from sessions_core import log
from sessions_core.log.opening import SCREEN_BYTES
from sessions_core.models import Session
from sessions_core.protocol.events import MessageCompleted, MessageDelta, MessageStarted, RunCompleted
from sessions_core.protocol.ids import MessageId, SessionId, new_message
from sessions_core.services import runs
from sessions_core.services.messages import MESSAGE_CHARACTERS
from tests.http.clients import ApiClient, claim_run, create_session, post_message


def post_and_answer(session: SessionId, by: User, text: str) -> MessageId:
    """Posts as `by`, and lets the agent answer `text` in deltas of one character. Returns the answer's id."""
    claim = claim_run(post_message(session, by).run)
    message = new_message()
    log.append_as(claim, [MessageStarted(message=message, parent=claim.replies_to, role="assistant", agent="guide")])
    for offset, letter in enumerate(text):
        delta = MessageDelta(message=message, part=0, part_type="text", offset=offset, text=letter)
        log.append_as(claim, [delta])
    runs.finish(claim, RunCompleted())
    return message


def test_events_come_whole_and_in_order(alice: User) -> None:
    session = create_session(alice, title="Trip")
    post_and_answer(session, alice, "häß😀")

    page = ApiClient(alice).get(f"sessions/{session}/events").body

    seqs = [event["seq"] for event in page["events"]]
    texts = [event["data"]["text"] for event in page["events"] if event["kind"] == "message.delta"]
    assert (page["session"], page["epoch"], page["from"], page["to"]) == (str(session), 1, 0, page["head"])
    assert seqs == sorted(seqs)
    assert texts == ["häß😀"]
    assert set(page["events"][0]) == {"seq", "kind", "at", "actor", "run", "data"}


def test_a_cursor_goes_on_without_gap_or_double(alice: User) -> None:
    session = create_session(alice)
    for text in ("one", "two", "three"):
        post_and_answer(session, alice, text)
    script = ApiClient(alice)

    seen, cursor, head = [], 0, 1
    while cursor < head:
        page = script.get(f"sessions/{session}/events?after={cursor}&limit=3").body
        assert page["from"] == cursor
        seen += page["events"]
        cursor, head = page["to"], page["head"]

    whole = script.get(f"sessions/{session}/events").body["events"]
    assert [e["seq"] for e in seen if e["kind"] != "message.delta"] == [
        e["seq"] for e in whole if e["kind"] != "message.delta"
    ]
    assert "".join(e["data"]["text"] for e in seen if e["kind"] == "message.delta") == "onetwothree"


def test_at_the_head_there_is_nothing_more(alice: User) -> None:
    session = create_session(alice)
    head = log.heads([session])[session].head

    page = ApiClient(alice).get(f"sessions/{session}/events?after={head}").body

    assert (page["from"], page["to"], page["events"]) == (head, head, [])
    assert "restart" not in page


@pytest.mark.parametrize("query", ["after=999", "after=9007199254740992", "after=1&epoch=7"])
def test_a_cursor_of_another_log_starts_anew(alice: User, query: str) -> None:
    session = create_session(alice)

    page = ApiClient(alice).get(f"sessions/{session}/events?{query}").body

    assert page["restart"] is True
    assert page["from"] == 0
    assert page["events"]


def test_the_cursor_of_this_epoch_goes_on(alice: User) -> None:
    session = create_session(alice)
    Session.objects.update(epoch=7)

    page = ApiClient(alice).get(f"sessions/{session}/events?after=1&epoch=7").body

    assert (page["from"], page["epoch"]) == (1, 7)


def test_the_last_messages_and_then_those_before_them(alice: User) -> None:
    session = create_session(alice)
    for text in ("one", "two", "three"):
        post_and_answer(session, alice, text)
    script = ApiClient(alice)

    newest = script.get(f"sessions/{session}/events?last=2").body
    before = script.get(f"sessions/{session}/events?before={newest['from']}&last=2").body
    first = script.get(f"sessions/{session}/events?before={before['from']}&last=50").body

    assert (newest["older"], before["older"], first["older"]) == (True, True, False)
    assert (before["to"], first["to"], first["from"]) == (newest["from"], before["from"], 0)
    assert newest["to"] == newest["head"]


@pytest.mark.parametrize(
    "query",
    [
        *("after=-1", "after=x", "after=1e3", "after=99999999999999999999999", "limit=0", "limit=1001", "last=0"),
        *("last=501", "before=-1", "after=1&last=2", "after=1&before=2", "epoch=%00", "after=%00"),
    ],
)
def test_a_range_that_is_none_is_refused_by_name(alice: User, query: str) -> None:
    session = create_session(alice)

    refused = ApiClient(alice).get(f"sessions/{session}/events?{query}")

    assert (refused.status, refused.code) == (422, "bad_field")
    names = ("after", "before", "last", "limit", "epoch")
    assert any(name in refused.body["error"]["message"] for name in names)


def test_the_timeline_shows_what_was_said_and_how_it_ended(alice: User) -> None:
    session = create_session(alice, title="Trip")
    answer = post_and_answer(session, alice, "häß😀")

    shown = ApiClient(alice).get(f"sessions/{session}/timeline").body

    assert (shown["session"], shown["title"], shown["epoch"], shown["older"]) == (str(session), "Trip", 1, False)
    assert [message["role"] for message in shown["messages"]] == ["user", "assistant"]
    assert shown["messages"][1]["id"] == str(answer)
    assert shown["messages"][1]["parts"] == [{"type": "text", "text": "häß😀"}]
    assert [run["state"] for run in shown["runs"]] == ["completed"]


def test_the_timeline_and_the_events_tell_why_an_answer_is_not_whole(alice: User) -> None:
    session = create_session(alice)
    claim = claim_run(post_message(session, alice).run)
    message = new_message()
    log.append_as(claim, [MessageStarted(message=message, parent=claim.replies_to, role="assistant", agent="guide")])
    log.append_as(claim, [MessageCompleted(message=message, parts=(), state="complete", ended="filtered")])
    script = ApiClient(alice)

    shown = script.get(f"sessions/{session}/timeline").body["messages"]
    events = script.get(f"sessions/{session}/events").body["events"]

    assert ("ended" in shown[0], shown[1]["state"], shown[1]["ended"]) == (False, "complete", "filtered")
    assert [event["data"]["ended"] for event in events if event["kind"] == "message.completed"] == ["filtered"]


def test_one_can_follow_on_from_the_timelines_cursor(alice: User) -> None:
    session = create_session(alice)
    post_and_answer(session, alice, "one")
    script = ApiClient(alice)
    cursor = script.get(f"sessions/{session}/timeline").body["cursor"]

    posted = script.post(f"sessions/{session}/messages", {"text": "hello"}).body
    page = script.get(f"sessions/{session}/events?after={cursor}").body

    assert posted["seq"] in [event["seq"] for event in page["events"]]
    assert page["from"] == cursor


def test_the_last_of_a_timeline_tells_that_there_is_more(alice: User) -> None:
    session = create_session(alice, title="Trip")
    for text in ("one", "two"):
        post_and_answer(session, alice, text)

    shown = ApiClient(alice).get(f"sessions/{session}/timeline?last=2").body

    assert [message["role"] for message in shown["messages"]] == ["user", "assistant"]
    assert (shown["older"], shown["title"]) == (True, "Trip")


def test_a_timeline_longer_than_one_read_is_whole(alice: User) -> None:
    session = create_session(alice)
    for number in range(20):
        post_message(session, alice, f"{number} ".ljust(MESSAGE_CHARACTERS, "x"))

    shown = ApiClient(alice).get(f"sessions/{session}/timeline").body

    assert log.read(session, after=0).span.end < shown["cursor"]
    assert [message["parts"][0]["text"].split()[0] for message in shown["messages"]] == [str(n) for n in range(20)]
    assert shown["cursor"] == log.heads([session])[session].head


def test_long_messages_come_in_pages_that_follow_each_other(alice: User) -> None:
    session = create_session(alice)
    for number in range(80):  # 2.5 MB
        claim = claim_run(post_message(session, alice, f"{number} ".ljust(MESSAGE_CHARACTERS, "x")).run)
        runs.finish(claim, RunCompleted())
    script = ApiClient(alice)

    newest = script.get(f"sessions/{session}/timeline")
    before = script.get(f"sessions/{session}/timeline?before={newest.body['from']}").body
    events = script.get(f"sessions/{session}/events?last=500")

    assert (newest.body["older"], before["older"], before["cursor"]) == (True, False, newest.body["from"])
    shown = before["messages"] + newest.body["messages"]
    assert [message["parts"][0]["text"].split()[0] for message in shown] == [str(n) for n in range(80)]
    assert (events.body["from"], events.body["to"]) == (newest.body["from"], newest.body["cursor"])
    assert max(len(newest.content), len(events.content)) < SCREEN_BYTES


def test_the_timeline_says_which_messages_are_on_the_active_branch(alice: User) -> None:
    session = create_session(alice)
    first = post_and_answer(session, alice, "one")
    post_and_answer(session, alice, "two")
    script = ApiClient(alice)
    script.post(f"sessions/{session}/messages", {"text": "edited", "parent": str(first)})

    shown = script.get(f"sessions/{session}/timeline").body

    by_id = {message["id"]: message for message in shown["messages"]}
    edited = next(id for id, message in by_id.items() if message["parts"][0]["text"] == "edited")
    siblings = [id for id, message in by_id.items() if message["parent"] == str(first)]
    assert shown["branch"] == [shown["messages"][0]["id"], str(first), edited]
    assert len(siblings) == 2
    assert edited in siblings
