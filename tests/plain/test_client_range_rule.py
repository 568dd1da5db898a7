"""The range rule (docs/reference/wire.md › The range rule), as the Python client follows it."""

from hypothesis import given
from hypothesis import strategies as st

from sessions_client.frames import Actor, Event, Events, Subscribed
from sessions_client.range_rule import BEHIND_S, SUBSCRIBE_TIMEOUT_S, Batch, RangeRule

SESSION = "11111111-1111-4111-8111-111111111111"
LOG = 40


def event(seq: int) -> Event:
    return Event(
        seq=seq, kind="run.progressed", at="2026-01-31T12:00:00.000Z", actor=Actor("agent", "script", "Script")
    )


def frame(start: int, end: int, *, epoch: int = 1, older: bool = False) -> Events:
    seqs = range(start + 1, end + 1)
    return Events(session=SESSION, epoch=epoch, start=start, end=end, events=[event(seq) for seq in seqs], older=older)


def subscribed(head: int, *, epoch: int = 1, restart: bool = False) -> Subscribed:
    return Subscribed(session=SESSION, epoch=epoch, head=head, role="owner", restart=restart)


def resumed(cursor: int, *, head: int) -> RangeRule:
    rule = RangeRule(SESSION, after=cursor, epoch=1)
    rule.subscribe(0)
    rule.subscribed(subscribed(head), 0)
    return rule


def seqs(batch: Batch | None) -> list[int] | None:
    return None if batch is None else [event.seq for event in batch.events]


def test_a_frame_that_continues_the_cursor_is_applied() -> None:
    rule = resumed(5, head=9)

    assert seqs(rule.take(frame(5, 9), 0)) == [6, 7, 8, 9]
    assert rule.cursor == 9
    assert not rule.must_subscribe(BEHIND_S)


def test_a_frame_that_is_known_is_dropped() -> None:
    rule = resumed(5, head=5)

    assert rule.take(frame(2, 5), 0) is None
    assert rule.cursor == 5


def test_of_a_frame_that_overlaps_only_the_new_events_are_applied() -> None:
    rule = resumed(5, head=8)

    assert seqs(rule.take(frame(3, 8), 0)) == [6, 7, 8]


def test_a_frame_without_events_moves_the_cursor() -> None:
    rule = resumed(5, head=8)

    assert rule.take(Events(session=SESSION, epoch=1, start=5, end=8), 0) is not None
    assert rule.cursor == 8


def test_a_frame_beyond_the_cursor_asks_to_subscribe_again_at_once() -> None:
    rule = resumed(5, head=5)

    assert rule.take(frame(7, 8), 0) is None
    assert rule.must_subscribe(0)
    assert '"after":5' in rule.subscribe(0)


def test_frames_that_were_under_way_when_it_asked_again_do_not_make_it_ask_twice() -> None:
    rule = resumed(5, head=5)
    rule.take(frame(7, 8), 0)
    rule.subscribe(0)

    assert rule.take(frame(8, 9), 0) is None
    assert not rule.must_subscribe(0)


def test_a_head_above_the_cursor_and_silence_asks_to_subscribe_again() -> None:
    rule = resumed(5, head=5)
    rule.note_head(6, 10)

    assert not rule.must_subscribe(10 + BEHIND_S - 0.1)
    assert rule.must_subscribe(10 + BEHIND_S)


def test_stale_frames_do_not_hide_that_it_is_behind() -> None:
    rule = resumed(5, head=5)
    rule.note_head(6, 10)
    rule.take(frame(2, 4), 10 + BEHIND_S - 0.1)

    assert rule.must_subscribe(10 + BEHIND_S)


def test_a_subscription_without_an_answer_is_asked_for_again() -> None:
    rule = RangeRule(SESSION)
    rule.subscribe(1)

    assert not rule.must_subscribe(SUBSCRIBE_TIMEOUT_S)
    assert rule.must_subscribe(1 + SUBSCRIBE_TIMEOUT_S)


def test_a_cold_start_begins_where_the_server_says() -> None:
    rule = RangeRule(SESSION, last=3)
    assert '"last":3' in rule.subscribe(0)
    rule.subscribed(subscribed(20), 0)

    batch = rule.take(frame(12, 20, older=True), 0)
    assert batch is not None
    assert (batch.start, batch.end, batch.restarted, batch.older) == (12, 20, True, True)
    assert '"after":20' in rule.subscribe(0)


def test_a_restart_forgets_the_cursor_and_the_epoch() -> None:
    rule = RangeRule(SESSION, after=500, epoch=1)
    rule.subscribe(0)
    rule.subscribed(subscribed(4, epoch=2, restart=True), 0)

    batch = rule.take(frame(0, 4, epoch=2), 0)
    assert batch is not None
    assert batch.restarted
    assert '"after":4,"epoch":2' in rule.subscribe(0)


def test_a_connection_lost_between_a_restart_and_its_events_starts_cold_again() -> None:
    rule = RangeRule(SESSION, after=500, epoch=1)
    rule.subscribe(0)
    rule.subscribed(subscribed(4, epoch=2, restart=True), 0)

    assert '"last"' in rule.subscribe(1)


def test_a_frame_of_another_epoch_asks_to_subscribe_again() -> None:
    rule = resumed(5, head=5)

    assert rule.take(frame(5, 6, epoch=2), 0) is None
    assert rule.must_subscribe(0)


ranges = st.tuples(st.integers(0, LOG), st.integers(0, LOG)).map(sorted)
moves = st.lists(st.one_of(ranges, st.just("answer"), st.just("reconnect")), max_size=60)


@given(start=st.integers(0, LOG), moves=moves)
def test_p2_whatever_comes_what_was_applied_is_a_prefix(start: int, moves: list[list[int] | str]) -> None:
    rule = resumed(start, head=LOG)
    applied: list[int] = []
    for move in moves:
        match move:
            case "answer":
                batch = _answer(rule)
            case "reconnect":
                rule.subscribe(0)
                batch = None
            case [low, high]:
                batch = rule.take(frame(low, high), 0)
                if rule.must_subscribe(0):
                    rule.subscribe(0)
            case _:
                raise AssertionError(move)
        applied += seqs(batch) or []
    rule.subscribe(0)
    applied += seqs(_answer(rule)) or []

    assert applied == list(range(start + 1, LOG + 1))


def _answer(rule: RangeRule) -> Batch | None:
    """Lets the server answer the subscription, at its cursor."""
    rule.subscribed(subscribed(LOG), 0)
    return rule.take(frame(rule.cursor or 0, LOG), 0)
