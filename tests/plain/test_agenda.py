"""An Agenda gives each key when it is due, once, and at its newest time."""

import random

from sessions_core.machines.agenda import Agenda


def taken(agenda: Agenda[str], now: float) -> list[str]:
    found = []
    while (key := agenda.take(now)) is not None:
        found.append(key)
    return found


def test_the_longest_overdue_comes_first_and_nothing_before_its_time() -> None:
    agenda: Agenda[str] = Agenda()
    for key, at in (("late", 3.0), ("first", 1.0), ("second", 2.0)):
        agenda.set(key, at)

    assert taken(agenda, 2.0) == ["first", "second"]
    assert taken(agenda, 2.9) == []
    assert taken(agenda, 9.0) == ["late"]


def test_only_the_newest_time_of_a_key_counts() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.set("a", 1.0)
    agenda.set("a", 5.0)
    agenda.set("b", 1.0)
    agenda.remove("b")

    assert taken(agenda, 4.0) == []
    assert taken(agenda, 5.0) == ["a"]


def test_hastening_never_delays() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.set("a", 2.0)
    agenda.hasten("a", 3.0)
    agenda.hasten("b", 4.0)
    agenda.hasten("b", 1.0)

    assert taken(agenda, 1.0) == ["b"]
    assert taken(agenda, 2.0) == ["a"]
    assert taken(agenda, 9.0) == []


def test_any_order_of_calls_gives_each_key_once_at_its_time() -> None:
    chance = random.Random(7)
    agenda: Agenda[int] = Agenda()
    times: dict[int, float] = {}
    for _ in range(2_000):
        key, at = chance.randrange(50), chance.random()
        agenda.set(key, at)
        times[key] = at

    found = []
    while (key_due := agenda.take(1.0)) is not None:
        found.append(key_due)
    assert found == sorted(times, key=lambda key: times[key])
