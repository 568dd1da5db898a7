"""The Feed, one rule at a time; test_feed_random combines them."""

import json

from sessions_core.machines.feed import Feed, Span, Subscription
from sessions_core.machines.recent_frames import SESSION_FRAMES, FrameMemory
from sessions_core.machines.send_buffer import SendBuffer
from tests.plain.delivery_world import SESSION


def span(start: int, end: int, *, epoch: int = 1, body: bytes = b"") -> Span:
    return Span(session=SESSION, epoch=epoch, start=start, end=end, body=body)


def new_feed(epoch: int, head: int, memory: FrameMemory | None = None) -> Feed:
    return Feed(epoch, head, memory or FrameMemory.of(2**20))


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
    feed = new_feed(1, 5)
    reader = following(feed, 5)

    feed.offer(span(5, 6))

    assert ranges(reader) == [(5, 6)]
    assert feed.next_read() is None


def test_all_readers_get_the_same_text() -> None:
    feed = new_feed(1, 0)
    first, second = following(feed, 0), following(feed, 0)

    feed.offer(span(0, 1))

    assert first.send_buffer.take() is second.send_buffer.take()


def test_a_gap_before_a_hint_is_read_once_for_all_readers() -> None:
    feed = new_feed(1, 5)
    readers = [following(feed, 5) for _ in range(3)]

    feed.offer(span(6, 7))
    assert feed.next_read() == 5
    assert feed.next_read() is None

    feed.read_done(span(5, 6), head=7)
    assert [ranges(reader) for reader in readers] == [[(5, 6), (6, 7)]] * 3
    assert feed.next_read() is None


def test_a_hint_without_its_events_makes_the_log_be_read() -> None:
    feed = new_feed(1, 5)
    following(feed, 5)

    feed.offer_head(1, 9)

    assert feed.next_read() == 5


def test_many_readers_that_reconnect_are_served_from_memory() -> None:
    feed = new_feed(1, 0)
    following(feed, 0)
    for seq in range(20):
        feed.offer(span(seq, seq + 1))

    readers = [following(feed, 12) for _ in range(100)]

    assert all(ranges(reader)[-1] == (19, 20) for reader in readers)
    assert feed.next_read() is None


def test_a_full_send_buffer_stalls_its_reader_and_no_other() -> None:
    feed = new_feed(1, 0)
    slow, quick = following(feed, 0, limit=100), following(feed, 0)

    feed.offer(span(0, 1))
    feed.offer(span(1, 2))

    assert slow.stalled
    assert ranges(quick) == [(0, 1), (1, 2)]


def test_a_stalled_reader_goes_on_where_it_stopped() -> None:
    feed = new_feed(1, 0)
    slow = following(feed, 0, limit=100)
    feed.offer(span(0, 1))
    feed.offer(span(1, 2))

    assert ranges(slow) == [(0, 1)]
    feed.refill(slow)

    assert ranges(slow) == [(1, 2)]
    assert not slow.stalled


def test_a_hint_of_another_epoch_makes_the_log_be_read() -> None:
    feed = new_feed(2, 5)
    reader = following(feed, 5)

    feed.offer(span(5, 6, epoch=1))

    assert not len(reader.send_buffer)
    assert feed.next_read() == 5
    assert feed.read_done(span(5, 5, epoch=2), head=5)
    assert feed.next_read() is None


def test_a_log_of_another_epoch_is_another_log() -> None:
    assert not new_feed(1, 5).check(2, 9, tail_before=5)
    feed = new_feed(1, 5)
    feed.offer_head(2, 6)
    assert feed.next_read() == 5
    assert not feed.read_done(span(5, 6, epoch=2), head=6)


def test_a_log_that_became_shorter_is_another_log() -> None:
    assert not new_feed(1, 5).check(1, 4, tail_before=5)


def test_a_check_that_a_hint_has_overtaken_is_no_shorter_log() -> None:
    feed = new_feed(1, 5)
    following(feed, 5)
    feed.offer(span(5, 6))

    assert feed.check(1, 5, tail_before=5)


def test_hints_that_come_early_are_delivered_when_the_gap_is_read() -> None:
    feed = new_feed(1, 0)
    reader = following(feed, 0)
    for start in (3, 2, 1):
        feed.offer(span(start, start + 1))

    assert feed.next_read() == 0
    feed.read_done(span(0, 1), head=4)

    assert ranges(reader) == [(0, 1), (1, 2), (2, 3), (3, 4)]


def test_hints_that_come_early_are_kept_within_bounds() -> None:
    memory = FrameMemory.of(2**20)
    feed = new_feed(1, 0, memory)
    for seq in range(1, 4 * SESSION_FRAMES):
        feed.offer(span(seq, seq + 1))

    assert len(feed._frames) == SESSION_FRAMES
    feed.end()
    assert memory.newest.used == 0


def test_a_reader_behind_what_is_kept_is_served_from_the_log() -> None:
    feed = new_feed(1, 0, FrameMemory.of(1))
    following(feed, 0)
    for seq in range(5):
        feed.offer(span(seq, seq + 1))

    late = following(feed, 2)
    assert ranges(late) == []
    assert feed.next_read() == 2
    feed.read_done(span(2, 5), head=5)

    assert ranges(late) == [(2, 5)]


def test_a_reader_of_a_long_log_does_not_drive_out_the_newest_frames() -> None:
    memory = FrameMemory.of(40_000)
    feed, other = new_feed(1, 100, memory), new_feed(1, 0, memory)
    for each, start in ((feed, 100), (other, 0)):
        following(each, start)
        each.offer(span(start, start + 1))

    slow = following(feed, 0, limit=10**6)
    for start in range(100):
        assert feed.next_read() == start
        feed.read_done(span(start, start + 1, body=b'"%s"' % (b"x" * 5000)), head=101)

    assert ranges(slow)[-2:] == [(99, 100), (100, 101)]
    assert memory.history.used <= 10_000
    assert [ranges(following(each, start)) for each, start in ((feed, 100), (other, 0))] == [[(100, 101)], [(0, 1)]]
