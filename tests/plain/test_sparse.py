"""Many events of a kind make one line."""

from sessions_core.machines.sparse import EVERY_S, Sparse


def test_the_first_is_told_at_once_and_the_others_together() -> None:
    lost = Sparse()

    assert lost.count(100.0) == 1
    assert [lost.count(100.0 + n / 1000) for n in range(4_000)] == [0] * 4_000
    assert lost.count(100.0 + EVERY_S, 64) == 4_064
    assert lost.count(100.1 + EVERY_S) == 0
