"""Joining deltas: fewer facts, the same text."""

from random import Random
from uuid import UUID

import pytest

from sessions_core.machines.deltas import join_deltas
from sessions_core.protocol.events import Fact, MessageDelta, RunProgressed
from sessions_core.protocol.ids import MessageId

PROGRESSED = RunProgressed(label="Reading")


def delta(text: str, *, offset: int, part: int = 0, message: int = 1) -> MessageDelta:
    return MessageDelta(message=MessageId(UUID(int=message)), part=part, part_type="text", offset=offset, text=text)


def test_neighbours_of_one_part_are_joined() -> None:
    facts = [delta("a", offset=0), delta("bc", offset=1), delta("d", offset=3)]

    assert list(join_deltas(facts)) == [(2, delta("abcd", offset=0))]


def test_offsets_count_code_points() -> None:
    assert list(join_deltas([delta("👋🏽", offset=0), delta("!", offset=2)])) == [(1, delta("👋🏽!", offset=0))]


@pytest.mark.parametrize(
    "other",
    [delta("b", offset=1, part=1), delta("b", offset=1, message=2), delta("b", offset=2), PROGRESSED],
    ids=["part", "message", "gap", "kind"],
)
def test_what_does_not_continue_a_delta_is_not_joined(other: Fact) -> None:
    facts: list[Fact] = [delta("a", offset=0), other, delta("c", offset=9)]

    assert list(join_deltas(facts)) == list(enumerate(facts))


def test_a_delta_without_neighbours_is_the_same_object() -> None:
    alone = delta("a", offset=0)

    assert next(join_deltas([alone]))[1] is alone


@pytest.mark.parametrize("seed", range(20))
def test_the_text_stays_the_same(seed: int) -> None:
    random = Random(seed)
    facts: list[Fact] = []
    lengths = {1: 0, 2: 0}
    for _ in range(50):
        message, text = random.choice([1, 1, 1, 2]), "x" * random.randint(1, 3)
        facts.append(delta(text, offset=lengths[message], message=message))
        lengths[message] += len(text)
        if random.random() < 0.1:
            facts.append(PROGRESSED)

    joined: list[Fact] = [fact for _, fact in join_deltas(facts)]

    assert list(_points(joined)) == list(_points(facts))
    assert len(joined) < len(facts)


def _points(facts: list[Fact]) -> list[object]:
    """Every code point with its place, and everything else."""
    return [
        point
        for fact in facts
        for point in (
            [(fact.message, fact.offset + n, letter) for n, letter in enumerate(fact.text)]
            if isinstance(fact, MessageDelta)
            else [fact]
        )
    ]
