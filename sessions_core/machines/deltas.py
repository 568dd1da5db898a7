from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from sessions_core.protocol.events import MessageDelta

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
    text = "".join(delta.text for delta in deltas)
    return MessageDelta(
        message=first.message, part=first.part, part_type=first.part_type, offset=first.offset, text=text
    )
