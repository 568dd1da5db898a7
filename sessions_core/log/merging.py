"""Neighbouring deltas of one part as one: a reader of a log that is not compacted yet pays for Messages, not for tokens."""

from collections.abc import Iterable, Sequence

from msgspec import Raw

from sessions_core.protocol.events import Event, MessageDelta, decode_fact, encode_fact


def merge(events: Iterable[Event]) -> list[Event]:
    """The same Events with neighbouring deltas of one part made one: seq of the last, offset of the first."""
    merged: list[Event] = []
    run: list[tuple[Event, MessageDelta]] = []
    for event in events:
        delta = decode_fact(event.kind, bytes(event.data)) if event.kind == MessageDelta.kind else None
        if run and not (isinstance(delta, MessageDelta) and _continues(run[-1][1], delta)):
            merged.append(_joined(run))
            run = []
        if isinstance(delta, MessageDelta):
            run.append((event, delta))
        else:
            merged.append(event)
    return [*merged, _joined(run)] if run else merged


def _continues(before: MessageDelta, after: MessageDelta) -> bool:
    return (
        before.message == after.message
        and before.part == after.part
        and after.offset == before.offset + len(before.text)
    )


def _joined(run: Sequence[tuple[Event, MessageDelta]]) -> Event:
    last, first = run[-1][0], run[0][1]
    if len(run) == 1:
        return last
    text = "".join(delta.text for _, delta in run)
    whole = MessageDelta(
        message=first.message, part=first.part, part_type=first.part_type, offset=first.offset, text=text
    )
    return Event(seq=last.seq, kind=last.kind, at=last.at, actor=last.actor, run=last.run, data=Raw(encode_fact(whole)))
