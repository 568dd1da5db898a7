"""The prompt view: what a model is shown of a conversation. A fold of its own, because people see more (docs/topics/runs.md).

Every answer stands right after the message that it answers, whenever it was written, and nothing that a later event says
changes what stands before it: the prefix stays the same from Run to Run, so that prefix caches hit.
"""

from collections.abc import Iterable
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

from sessions_core.protocol.events import (
    Fact,
    MessageCompleted,
    MessagePosted,
    MessageStarted,
    MessageState,
    Part,
    RunRequested,
    RunRestarted,
)
from sessions_core.protocol.ids import MessageId, RunId

NOWHERE: Final = UUID(int=0)  # answers before the first message: there is nothing that they could follow
KEPT: Final[frozenset[MessageState]] = frozenset({"complete", "cancelled"})  # a stopped answer was read and replied to
KINDS: Final = tuple(
    fact.kind for fact in (MessagePosted, MessageStarted, MessageCompleted, RunRequested, RunRestarted)
)


class PromptMessage(Struct, frozen=True):
    """One message of the history, as text."""

    role: Literal["user", "assistant"]
    text: str
    message: MessageId


class _Told(Struct):
    """What the fold knows so far. `answers`: for a message the Runs that answered it, oldest first, with what each said."""

    posted: dict[MessageId, str]
    wanted: dict[RunId, MessageId | None]
    started: dict[MessageId, tuple[RunId | None, MessageId | None]]
    answers: dict[MessageId, dict[RunId | None, list[PromptMessage]]]


def turns(facts: Iterable[tuple[RunId | None, Fact]], *, up_to: MessageId | None) -> list[PromptMessage]:
    """The history up to the message `up_to`, which comes last, or all of it for None. Facts come with their Run, in log order.

    Left out is what failed, was interrupted, voided or never completed, and what has no text. When a message was answered
    more than once, the newest answer counts.
    """
    told = _Told({}, {}, {}, {})
    for run, fact in facts:
        _hear(told, run, fact)
    history: list[PromptMessage] = []
    for message, text in told.posted.items():
        history.append(PromptMessage(role="user", text=text, message=message))
        if message == up_to:
            return history
        answers = [said for said in told.answers.get(message, {}).values() if said]
        history += answers[-1] if answers else []
    return history


def _hear(told: _Told, run: RunId | None, fact: Fact) -> None:
    match fact:
        case MessagePosted(message=message, parts=parts):
            told.posted[message] = _text(parts)
        case RunRequested(run=requested, replies_to=replies_to):
            told.wanted[requested] = replies_to
        case MessageStarted(message=message, parent=parent):
            told.started[message] = (run, parent)
        case MessageCompleted(message=message, parts=parts, state=state):
            if state in KEPT and (text := _text(parts)).strip():
                _answer(told, PromptMessage(role="assistant", text=text, message=message))
        case RunRestarted(voided=voided):
            for said in told.answers.get(_answered(told, run, None), {}).values():
                said[:] = [turn for turn in said if turn.message not in voided]
        case _:
            pass


def _answer(told: _Told, turn: PromptMessage) -> None:
    run, parent = told.started.get(turn.message, (None, None))
    message = _answered(told, run, parent)
    told.answers.setdefault(message, {}).setdefault(run, []).append(turn)


def _answered(told: _Told, run: RunId | None, parent: MessageId | None) -> MessageId:
    """The posted message after which an answer stands: what its Run replies to, else the newest one before it."""
    for message in (told.wanted.get(run) if run else None, parent):
        if message in told.posted:
            return message
    return next(reversed(told.posted), MessageId(NOWHERE))


def _text(parts: Iterable[Part]) -> str:
    return "\n\n".join(part.text for part in parts if part.type == "text")
