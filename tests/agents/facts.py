"""Facts that a test waits for or asserts, read from the log."""

from collections.abc import Iterable
from typing import Final, TypeVar

from sessions_core.protocol import run_states
from sessions_core.protocol.events import MessageCompleted, MessageDelta, MessageStarted
from sessions_core.protocol.ids import SessionId
from tests.db.acts import facts

F = TypeVar("F")

TERMINAL: Final = tuple(f"run.{state}" for state in run_states.TERMINAL)


def words(count: int, letter: str = "w") -> str:
    """The text that the scripted agent writes."""
    return " ".join(f"{letter}{n}" for n in range(1, count + 1))


def among(log: Iterable[object], kind: type[F]) -> list[F]:
    """Returns the facts of that kind."""
    return [fact for fact in log if isinstance(fact, kind)]


def of_kind(session: SessionId, kind: type[F]) -> list[F]:
    return [fact for fact in facts(session) if isinstance(fact, kind)]


def ends(session: SessionId) -> list[str]:
    """The kinds of the terminal Events."""
    return [fact.kind for fact in facts(session) if fact.kind in TERMINAL]


def said(session: SessionId) -> str:
    """The text of all deltas in the order of the log, whatever Message they belong to."""
    return "".join(fact.text for fact in facts(session) if isinstance(fact, MessageDelta))


def completed(session: SessionId) -> MessageCompleted:
    """The newest completed Message."""
    return [fact for fact in facts(session) if isinstance(fact, MessageCompleted)][-1]


def text(message: MessageCompleted) -> str:
    return "".join(part.text for part in message.parts if part.type == "text")


def begun(session: SessionId) -> bool:
    return any(isinstance(fact, MessageDelta | MessageStarted) for fact in facts(session))


def check_folds(session: SessionId) -> None:
    """Asserts that each completed Message is exactly what its deltas make (P10)."""
    folded: dict[tuple[object, int], str] = {}
    for fact in facts(session):
        match fact:
            case MessageDelta(message=message, part=part, offset=offset, text=piece):
                before = folded.get((message, part), "")
                assert offset == len(before)
                folded[message, part] = before + piece
            case MessageCompleted(message=message, parts=parts):
                whole = {number: part.text for number, part in enumerate(parts)}
                assert whole == {number: text for (of, number), text in folded.items() if of == message}
            case _:
                pass
