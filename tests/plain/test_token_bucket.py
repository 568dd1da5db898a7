from sessions_core.machines.token_bucket import Buckets, Rate


def test_a_bucket_fills_again_with_time() -> None:
    buckets = Buckets(Rate(per_s=2, burst=2))

    waits = [buckets.take("alice", now_s=now) for now in (0, 0, 0, 0.25, 0.5, 0.5)]

    assert waits == [0, 0, 0.5, 0.25, 0, 0.5]


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    buckets = Buckets(Rate(per_s=1000, burst=1))
    buckets.take("alice", now_s=0)

    assert [buckets.take("alice", now_s=now) for now in (60, 60)] == [0, 0.001]


def test_buckets_forget_who_was_quiet_the_longest() -> None:
    buckets = Buckets(Rate(per_s=0.001, burst=1), keys=2)
    for name in ("alice", "bob", "mallory"):
        buckets.take(name, now_s=0)

    assert buckets.take("alice", now_s=0) == 0
    assert buckets.take("mallory", now_s=0) > 0


def test_what_costs_more_takes_more_tokens() -> None:
    rate = Rate(per_s=2, burst=10)

    assert rate.take(10, 0, tokens=9) == (1, 0.0)
    assert rate.take(1, 0, tokens=9) == (1, 4.0)
    assert rate.take(1, 4, tokens=9) == (0, 0.0)
