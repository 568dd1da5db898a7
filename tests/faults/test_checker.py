"""The checker finds what it is there to find: each test breaks one thing that a sound log and a sound reader have."""

from collections.abc import Callable

import msgspec
import pytest

from sessions_client import Actor, Batch, Event
from tests.faults.checker import Findings, check_frames, check_reader
from tests.faults.promises import Ack, broken
from tests.faults.truth import DELTA, Row, Truth

SESSION, RUN, POST, ANSWER, CLIENT = "s", "r", "m1", "m2", "c1"
AGENT = Actor("agent", "script", "Script")
SCRIPT = msgspec.json.encode({"words": 4}).decode()
Rows = list[Row]


def row(seq: int, kind: str, *, run: str | None = RUN, client: str | None = None, **data: object) -> Row:
    return Row(seq=seq, kind=kind, run=run, client=client, data=data)


def delta(seq: int, offset: int, text: str) -> Row:
    return row(seq, DELTA, message=ANSWER, part=0, part_type="text", offset=offset, text=text)


def part(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def sound() -> Rows:
    return [
        row(1, "message.posted", run=None, client=CLIENT, message=POST, parts=[part(SCRIPT)], client_id=CLIENT),
        Row(2, "run.requested", RUN, None, {"run": RUN, "agent": "script", "replies_to": POST}),
        row(3, "run.started", attempt=1),
        row(4, "message.started", message=ANSWER),
        delta(5, 0, "w1"),
        delta(6, 2, " w2"),
        delta(7, 5, " w3"),
        delta(8, 8, " w4"),
        row(9, "message.completed", message=ANSWER, parts=[part("w1 w2 w3 w4")], state="complete"),
        row(10, "run.completed"),
    ]


def truth(rows: Rows | None = None) -> Truth:
    rows = sound() if rows is None else rows
    return Truth(SESSION, rows[-1].seq, rows)


def event(row: Row) -> Event:
    return Event(seq=row.seq, kind=row.kind, at="", actor=AGENT, run=row.run, data=row.data)


def batches(rows: Rows | None = None) -> list[Batch]:
    """One batch for each Event."""
    return [Batch(SESSION, 1, row.seq - 1, row.seq, [event(row)]) for row in (sound() if rows is None else rows)]


def merged(start: int, end: int) -> list[Batch]:
    """As a reader of the log gets it: deltas of (start, end] as one."""
    rows = sound()
    text = "".join(row.data["text"] for row in rows[start:end])
    one = delta(end, rows[start].data["offset"], text)
    middle = Batch(SESSION, 1, start, end, [event(one)])
    return [*batches(rows[:start]), middle, *batches(rows[end:])]


def check(found: list[Batch], rows: Rows | None = None) -> Findings:
    return check_reader(truth(rows), found, name="phone")


def test_a_sound_reader_has_nothing_wrong() -> None:
    assert check(batches()) == Findings()


def test_merged_deltas_are_the_same_text() -> None:
    assert check(merged(5, 7)) == Findings()


def test_a_compacted_log_is_the_same_text() -> None:
    compacted = [row for row in sound() if row.kind != DELTA]
    late = [Batch(SESSION, 1, 0, 10, [event(row) for row in compacted], restarted=True)]

    assert check(batches(), compacted) == Findings()
    assert check(late, compacted) == Findings()
    assert broken(truth(compacted), []) == []


def test_a_reader_who_began_inside_a_text_needs_only_the_rest() -> None:
    assert check(batches()[6:]) == Findings()


def test_a_restarted_reader_is_checked_anew() -> None:
    again = [msgspec.structs.replace(batch, restarted=batch.start == 0) for batch in batches()]

    assert check([*batches()[:6], *again]) == Findings()


@pytest.mark.parametrize("seq", range(1, 11))
def test_a_missing_event_is_found(seq: int) -> None:
    without = batches()
    without[seq - 1] = msgspec.structs.replace(without[seq - 1], events=[])

    assert check(without).missing >= 1


@pytest.mark.parametrize("seq", range(1, 11))
def test_a_doubled_event_is_found(seq: int) -> None:
    twice = batches()
    twice[seq - 1] = msgspec.structs.replace(twice[seq - 1], events=twice[seq - 1].events * 2)

    assert check(twice).doubled >= 1


def test_a_page_applied_twice_is_found() -> None:
    assert check([*batches()[:7], *batches()[6:]]).doubled >= 1


@pytest.mark.parametrize("seq", range(1, 10))
def test_two_events_in_the_wrong_order_are_found(seq: int) -> None:
    first, second = batches()[seq - 1 : seq + 1]
    swapped = Batch(SESSION, 1, first.start, second.end, second.events + first.events)

    assert check([*batches()[: seq - 1], swapped, *batches()[seq + 1 :]]).reordered >= 1


def test_an_event_that_is_not_in_the_log_is_found() -> None:
    rows = sound()
    del rows[2]

    assert check(batches(), rows).foreign == 1


@pytest.mark.parametrize("text", [" w9", " w2 w3"])
def test_a_text_that_was_never_said_is_found(text: str) -> None:
    other = sound()
    other[5] = delta(6, 2, text)

    assert check(batches(other)).foreign >= 1


def test_a_fact_with_other_contents_is_found() -> None:
    other = sound()
    other[9] = row(10, "run.completed", result=1)

    assert check(batches(other)).foreign == 1


def test_a_live_reader_who_stays_behind_is_found() -> None:
    assert check(batches()[:9]).missing == 1
    assert check_reader(truth(), batches()[:9], name="phone", live=False) == Findings()


def test_a_lost_tail_of_the_text_is_found_in_a_page_that_claims_it() -> None:
    claims = [*batches()[:6], Batch(SESSION, 1, 6, 8, [])]

    assert check_reader(truth(), claims, name="phone", live=False).missing == 1


def test_a_page_that_does_not_continue_the_cursor_is_found() -> None:
    assert check([*batches()[:3], *batches()[4:]]).notes


def test_a_frame_that_claims_more_than_it_holds_is_found() -> None:
    held = [event(row) for row in sound()[:3]]
    frame = {"type": "events", "session": SESSION, "epoch": 1, "from": 0, "to": 4, "events": held}

    found = check_frames({SESSION: truth()}, [msgspec.json.encode(frame).decode()], name="phone")
    assert found.missing == 1


ACK = Ack(session=SESSION, id=CLIENT, seq=1, message=POST, run=RUN)


def test_a_sound_log_breaks_no_promise() -> None:
    assert broken(truth(), [ACK]) == []


@pytest.mark.parametrize("consumed", [True, False])
def test_a_post_that_steers_is_acknowledged_without_a_run(consumed: bool) -> None:  # noqa: FBT001  # a column of the table
    steer = row(11, "message.posted", run=None, message="m3", parts=[], client_id="c2", state="steering")
    asked = Row(12, "run.requested", "r2", None, {"run": "r2", "agent": "script", "replies_to": "m3"})
    steered = row(13, "run.steered", message="m3", consumed=consumed)
    rows = [*sound()[:-1], steer, steered] if consumed else [*sound()[:-1], steer, asked, steered]
    ended = [row(14, "run.completed"), row(15, "run.completed", run="r2")][: 1 if consumed else 2]
    rows = [msgspec.structs.replace(each, seq=seq) for seq, each in enumerate([*rows, *ended], 1)]

    assert broken(truth(rows), [Ack(session=SESSION, id="c2", seq=10, message="m3", run=None)]) == []
    (told,) = broken(truth(rows), [Ack(session=SESSION, id="c2", seq=10, message="m3", run="r2")])
    assert "another Run" in str(told)


def _without(seq: int) -> Callable[[Rows], Rows]:
    return lambda rows: [row for row in rows if row.seq != seq]


def _then(*more: Row) -> Callable[[Rows], Rows]:
    return lambda rows: [*rows, *more]


def _with(seq: int, changed: Row) -> Callable[[Rows], Rows]:
    return lambda rows: [changed if row.seq == seq else row for row in rows]


@pytest.mark.parametrize(
    ("breaks", "says"),
    [
        pytest.param(_without(3), "holes", id="a seq is skipped"),
        pytest.param(_then(row(10, "run.completed")), "there twice", id="a seq is used twice"),
        pytest.param(_without(10), "never ended", id="a Run does not end"),
        pytest.param(_then(row(11, "run.failed", code="x")), "comes after run.completed", id="a Run ends twice"),
        pytest.param(_then(row(11, "run.progressed")), "comes after run.completed", id="an ended Run goes on"),
        pytest.param(
            _with(3, row(3, "run.cancel_requested", run=None, runs=[RUN])),
            "comes after Stop",
            id="it speaks after Stop",
        ),
        pytest.param(_with(7, row(7, "run.restarted", attempt=2, voided=[ANSWER])), "was voided", id="a zombie writes"),
        pytest.param(
            _with(4, row(4, "run.restarted", attempt=1, voided=[])), "comes after attempt", id="an attempt twice"
        ),
        pytest.param(_with(6, delta(6, 2, " w7")), "than its deltas made", id="the deltas say something else"),
        pytest.param(_with(6, delta(6, 3, "w2")), "do not continue", id="the deltas have a hole"),
        pytest.param(
            _with(9, row(9, "message.completed", message=ANSWER, parts=[part("w1 w3")], state="complete")),
            "not the script's",
            id="a word is missing",
        ),
        pytest.param(
            _with(9, row(9, "message.completed", message=ANSWER, parts=[part("w1 w2")], state="complete")),
            "not the script's",
            id="a complete answer is cut",
        ),
        pytest.param(
            _then(row(11, "message.posted", run=None, message="m3", parts=[], client_id=CLIENT)),
            "2 times",
            id="a post is there twice",
        ),
        pytest.param(_without(1), "acknowledged, but is not there", id="an acknowledged post is lost"),
        pytest.param(
            _with(1, row(1, "message.posted", run=None, message="m9", parts=[], client_id=CLIENT)),
            "the answer said",
            id="an answer names another message",
        ),
        pytest.param(
            _then(row(11, "message.posted", run=None, message="m3", parts=[], client_id=None, state="steering")),
            "steering message m3 was lost",
            id="a steer is lost",
        ),
        pytest.param(
            _then(
                row(11, "run.steered", run="other", message="m3", consumed=True),
                Row(12, "run.requested", "more", None, {"run": "more", "agent": "script", "replies_to": "m3"}),
            ),
            "answered by a Run of its own",
            id="a steer is taken and passed on",
        ),
        pytest.param(
            _then(row(11, "run.steered", run="other", message="m3", consumed=False)),
            "passed on to nobody",
            id="a steer is passed on to nobody",
        ),
        pytest.param(
            _then(*(row(n, "run.steered", run="other", message="m3", consumed=True) for n in (11, 12))),
            "steering message m3 has 2 ends",
            id="a steer is doubled",
        ),
        pytest.param(
            _then(*(row(n, "message.dequeued", run="other", message="m3", reason="sent") for n in (11, 12))),
            "queued message m3 has 2 ends",
            id="a queued message is sent twice",
        ),
        pytest.param(
            _then(*(row(n, "ask.answered", run="other", ask="a1", value=1) for n in (11, 12))),
            "ask a1 has 2 ends",
            id="an ask is answered twice",
        ),
        pytest.param(
            _then(*(row(n, "step.completed", run="other", key="k", result=1) for n in (11, 12))),
            "step other/k has 2 ends",
            id="a step is done twice",
        ),
    ],
)
def test_a_broken_promise_is_found(breaks: Callable[[Rows], Rows], says: str) -> None:
    found = broken(truth(breaks(sound())), [ACK])

    assert any(says in str(each) for each in found), found
