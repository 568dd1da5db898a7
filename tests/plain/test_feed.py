"""What a Feed does, one thing at a time."""

import json

from sessions_core.machines.feed import EARLY_SPANS, Feed, Span, Subscription
from sessions_core.machines.send_buffer import REPLY_BYTES, Frame, SendBuffer
from tests.plain.delivery_world import SESSION


def span(start: int, end: int, *, epoch: int = 1, body: bytes = b"") -> Span:
    return Span(session=SESSION, epoch=epoch, start=start, end=end, body=body)


def following(feed: Feed, cursor: int, *, limit: int = 10_000) -> Subscription:
    subscription = Subscription(SESSION, SendBuffer(limit, lambda: None), cursor=cursor)
    feed.attach(subscription)
    return subscription


def ranges(subscription: Subscription) -> list[tuple[int, int]]:
    frames = []
    while text := subscription.send_buffer.take():
        frame = json.loads(text)
        frames.append((frame["from"], frame["to"]))
    return frames


def test_a_hint_that_continues_is_delivered_and_needs_no_read() -> None:
    feed = Feed(1, 5)
    reader = following(feed, 5)

    feed.offer(span(5, 6))

    assert ranges(reader) == [(5, 6)]
    assert feed.next_read() is None


def test_all_readers_get_the_same_text() -> None:
    feed = Feed(1, 0)
    first, second = following(feed, 0), following(feed, 0)

    feed.offer(span(0, 1))

    assert first.send_buffer.take() is second.send_buffer.take()


def test_a_hint_that_leaves_a_gap_has_the_log_read_once_for_all() -> None:
    feed = Feed(1, 5)
    readers = [following(feed, 5) for _ in range(3)]

    feed.offer(span(6, 7))
    assert feed.next_read() == 5
    assert feed.next_read() is None

    feed.read_done(span(5, 6), head=7)
    assert [ranges(reader) for reader in readers] == [[(5, 6), (6, 7)]] * 3
    assert feed.next_read() is None


def test_a_hint_without_its_events_has_the_log_read() -> None:
    feed = Feed(1, 5)
    following(feed, 5)

    feed.offer_head(1, 9)

    assert feed.next_read() == 5


def test_a_herd_that_comes_back_is_served_from_memory() -> None:
    feed = Feed(1, 0)
    following(feed, 0)
    for seq in range(20):
        feed.offer(span(seq, seq + 1))

    herd = [following(feed, 12) for _ in range(100)]

    assert all(ranges(reader)[-1] == (19, 20) for reader in herd)
    assert feed.next_read() is None


def test_a_full_outbox_stalls_its_reader_and_nobody_else() -> None:
    feed = Feed(1, 0)
    slow, quick = following(feed, 0, limit=100), following(feed, 0)

    feed.offer(span(0, 1))
    feed.offer(span(1, 2))

    assert slow.stalled
    assert ranges(quick) == [(0, 1), (1, 2)]


def test_a_stalled_reader_goes_on_where_it_stopped() -> None:
    feed = Feed(1, 0)
    slow = following(feed, 0, limit=100)
    feed.offer(span(0, 1))
    feed.offer(span(1, 2))

    assert ranges(slow) == [(0, 1)]
    feed.refill(slow)

    assert ranges(slow) == [(1, 2)]
    assert not slow.stalled


def test_a_hint_of_another_epoch_is_not_believed_but_looked_into() -> None:
    feed = Feed(2, 5)
    reader = following(feed, 5)

    feed.offer(span(5, 6, epoch=1))

    assert not len(reader.send_buffer)
    assert feed.next_read() == 5
    assert feed.read_done(span(5, 5, epoch=2), head=5)
    assert feed.next_read() is None


def test_a_log_of_another_epoch_is_another_log() -> None:
    assert not Feed(1, 5).check(2, 9, tail_before=5)
    feed = Feed(1, 5)
    feed.offer_head(2, 6)
    assert feed.next_read() == 5
    assert not feed.read_done(span(5, 6, epoch=2), head=6)


def test_a_log_that_became_shorter_is_another_log() -> None:
    assert not Feed(1, 5).check(1, 4, tail_before=5)


def test_a_check_that_a_hint_has_overtaken_is_no_shorter_log() -> None:
    feed = Feed(1, 5)
    following(feed, 5)
    feed.offer(span(5, 6))

    assert feed.check(1, 5, tail_before=5)


def test_hints_that_come_early_are_kept_within_bounds() -> None:
    feed = Feed(1, 0)
    for seq in range(1, 10 * EARLY_SPANS):
        feed.offer(span(seq, seq + 1))

    assert len(feed._early) == EARLY_SPANS


def test_an_empty_outbox_takes_any_frame() -> None:
    send_buffer = SendBuffer(10, lambda: None)

    assert send_buffer.put(Frame(text="x" * 100, size=100))
    assert not send_buffer.put(Frame(text="y", size=1))
    assert send_buffer.refused


def test_one_who_asks_and_does_not_read_overflows() -> None:
    send_buffer = SendBuffer(10, lambda: None)
    for _ in range(REPLY_BYTES // 1000 + 2):
        send_buffer.reply("x" * 1000)

    assert send_buffer.overflowed


def test_what_was_not_sent_of_a_session_can_be_taken_back() -> None:
    send_buffer = SendBuffer(1000, lambda: None)
    send_buffer.put(Frame(text="hers", size=4, session=SESSION))
    send_buffer.reply("ok")

    send_buffer.drop(SESSION)

    assert send_buffer.take() == "ok"
    assert send_buffer.take() is None


def test_the_reader_of_an_outbox_is_woken_once() -> None:
    woken = []
    send_buffer = SendBuffer(1000, lambda: woken.append(1))
    send_buffer.sleeps = True
    for _ in range(3):
        send_buffer.reply("x")

    assert woken == [1]
