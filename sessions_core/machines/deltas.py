"""Joins neighbouring deltas, so that writing a log and reading it cost Messages and not tokens."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from msgspec import Raw
from msgspec.structs import replace

from sessions_core.protocol.events import Event, MessageDelta, decode_fact, encode_fact

T = TypeVar("T")


def join_deltas(facts: Iterable[T]) -> Iterator[tuple[int, T | MessageDelta]]:
    """Yields the facts in their order, with neighbouring deltas that continue each other joined to one. Each comes with the index
    of the last fact that is in it. A fact that was joined with none is yielded as it is.
    """
    deltas: list[MessageDelta] = []
    end = -1
    for index, fact in enumerate(facts):
        if deltas and not (isinstance(fact, MessageDelta) and _continues(deltas[-1], fact)):
            yield end, _join(deltas)
            deltas = []
        if isinstance(fact, MessageDelta):
            deltas.append(fact)
        else:
            yield index, fact
        end = index
    if deltas:
        yield end, _join(deltas)


def merge(events: Sequence[Event]) -> list[Event]:
    """Returns the Events with neighbouring deltas joined. A joined one has the seq and the time of its last delta."""
    deltas = [_find_delta(event) for event in events]
    return [
        events[end] if delta is None or delta is deltas[end] else replace(events[end], data=Raw(encode_fact(delta)))
        for end, delta in join_deltas(deltas)
    ]


def _find_delta(event: Event) -> MessageDelta | None:
    fact = decode_fact(event.kind, bytes(event.data)) if event.kind == MessageDelta.kind else None
    return fact if isinstance(fact, MessageDelta) else None


def _continues(before: MessageDelta, after: MessageDelta) -> bool:
    return (
        before.message == after.message
        and before.part == after.part
        and after.offset == before.offset + len(before.text)
    )


def _join(deltas: Sequence[MessageDelta]) -> MessageDelta:
    first = deltas[0]
    if len(deltas) == 1:
        return first
    return replace(first, text="".join(delta.text for delta in deltas))
