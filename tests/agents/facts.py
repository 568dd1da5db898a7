"""Facts to wait for, and what the log says, as sentences."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from sessions_core.protocol.events import MessageCompleted, MessageDelta, MessageStarted
from sessions_core.protocol.ids import SessionId
from tests.db.acts import facts

F = TypeVar("F")

LOOK_S: Final = 0.02
TERMINAL: Final = ("run.completed", "run.cancelled", "run.failed", "run.interrupted")


def until(fact: Callable[[], object], *, within_s: float = 10.0) -> float:
    """Returns as soon as the fact holds, with the seconds that took. Fails when it does not hold in time."""
    began = time.monotonic()
    while not fact():
        assert time.monotonic() - began < within_s, f"not within {within_s} s"
        time.sleep(LOOK_S)
    return time.monotonic() - began


def words(count: int, letter: str = "w") -> str:
    """What the script says."""
    return " ".join(f"{letter}{n}" for n in range(1, count + 1))


def of_kind(session: SessionId, kind: type[F]) -> list[F]:
    return [fact for fact in facts(session) if isinstance(fact, kind)]


def ends(session: SessionId) -> list[str]:
    """The terminal Events, by kind."""
    return [fact.kind for fact in facts(session) if fact.kind in TERMINAL]


def said(session: SessionId) -> str:
    """What all deltas together say, in the order of the log, whatever Message they belong to."""
    return "".join(fact.text for fact in facts(session) if isinstance(fact, MessageDelta))


def completed(session: SessionId) -> MessageCompleted:
    """The last Message that was completed."""
    return [fact for fact in facts(session) if isinstance(fact, MessageCompleted)][-1]


def text(message: MessageCompleted) -> str:
    return "".join(part.text for part in message.parts if part.type == "text")


def begun(session: SessionId) -> bool:
    return any(isinstance(fact, MessageDelta | MessageStarted) for fact in facts(session))


def check_folds(session: SessionId) -> None:
    """P10: each Message completed is exactly what its deltas said."""
    made: dict[tuple[object, int], str] = {}
    for fact in facts(session):
        match fact:
            case MessageDelta(message=message, part=part, offset=offset, text=piece):
                before = made.get((message, part), "")
                assert offset == len(before)
                made[message, part] = before + piece
            case MessageCompleted(message=message, parts=parts):
                whole = {n: part.text for n, part in enumerate(parts)}
                assert whole == {part: what for (of, part), what in made.items() if of == message}
            case _:
                pass
