"""The newest frames are bounded for each Session, and for all of a process together."""

from sessions_core.machines.recent_frames import (
    OVERHEAD_BYTES,
    SESSION_BYTES,
    SESSION_FRAMES,
    EventsFrame,
    FrameBudget,
    RecentFrames,
)


def frame(text: str = "x") -> EventsFrame:
    return EventsFrame(text=text, size=len(text.encode()))


def test_the_oldest_of_all_sessions_go_first() -> None:
    budget = FrameBudget(8 * (OVERHEAD_BYTES + 100))
    busy, quiet = RecentFrames(budget), RecentFrames(budget)
    quiet.keep(0, frame())
    quiet.keep(1, frame())
    for start in range(7):
        busy.keep(start, frame())

    assert quiet.get(0) is None
    assert quiet.get(1) is not None
    assert len(busy) == 7

    busy.keep(7, frame())
    assert (len(quiet), len(busy)) == (0, 8)
    busy.keep(8, frame())
    assert busy.get(0) is None


def test_many_sessions_stay_within_the_budget() -> None:
    budget = FrameBudget(1_000_000)
    sessions = [RecentFrames(budget) for _ in range(1000)]
    for start in range(10):
        for each in sessions:
            each.keep(start, frame("x" * 300))

    assert budget.used <= 1_000_000
    assert sum(len(each) for each in sessions) * (OVERHEAD_BYTES + 300) <= 1_000_000
    assert all(each.get(9) is not None for each in sessions[-500:])


def test_a_session_has_bounds_of_its_own() -> None:
    few, large = RecentFrames(FrameBudget(2**30)), RecentFrames(FrameBudget(2**30))
    for start in range(SESSION_FRAMES + 10):
        few.keep(start, frame())
    for start in range(10):
        large.keep(start, frame("x" * (SESSION_BYTES // 4)))

    assert (len(few), few.get(9), few.get(10) is None) == (SESSION_FRAMES, None, False)
    assert len(large) == 3


def test_the_newest_is_kept_however_large_it_is() -> None:
    frames = RecentFrames(FrameBudget(1))

    frames.keep(0, frame("x" * 2 * SESSION_BYTES))

    assert frames.get(0) is not None


def test_what_is_counted_is_the_memory_of_the_text() -> None:
    plain, wide = FrameBudget(2**30), FrameBudget(2**30)
    RecentFrames(plain).keep(0, frame("x" * 1000))
    RecentFrames(wide).keep(0, frame("x" * 999 + "\U0001f600"))  # Python keeps it with four bytes a character

    assert wide.used - plain.used > 2900


def test_a_frame_in_the_place_of_another_and_all_that_are_forgotten_are_not_counted() -> None:
    budget = FrameBudget(2**30)
    frames = RecentFrames(budget)
    for number in range(20):
        frames.keep(number % 3, frame())

    assert budget.used == 3 * (OVERHEAD_BYTES + 50)
    frames.clear()
    assert (budget.used, len(frames)) == (0, 0)
