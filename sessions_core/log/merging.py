"""Merges neighbouring deltas, so that reading a log that is not compacted yet costs Messages and not tokens."""

from collections.abc import Iterable

from msgspec import Raw
from msgspec.structs import replace

from sessions_core.machines.deltas import join_deltas
from sessions_core.protocol.events import Event, MessageDelta, decode_fact, encode_fact


def merge(events: Iterable[Event]) -> list[Event]:
    """Returns the Events with neighbouring deltas of one part merged: the seq is that of the last, the offset of the first."""
    unmerged = list(events)
    deltas = [_find_delta(event) for event in unmerged]
    return [
        unmerged[end] if delta is None or delta is deltas[end] else replace(unmerged[end], data=Raw(encode_fact(delta)))
        for end, delta in join_deltas(deltas)
    ]


def _find_delta(event: Event) -> MessageDelta | None:
    fact = decode_fact(event.kind, bytes(event.data)) if event.kind == MessageDelta.kind else None
    return fact if isinstance(fact, MessageDelta) else None
