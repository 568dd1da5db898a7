"""The prompt view: what a model is shown of a conversation. A fold of its own, because people are shown more (the timeline).

A message that was queued stands where it was sent, with the text that it had then, and one that steered a Run where that has
taken it. Each answer stands directly after the message that it answers, whenever it was written. A later Event never changes what
stands before it, so the prefix stays the same from Run to Run and the prefix caches of providers hit.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from msgspec import Struct

from agents.sdk import PromptMessage
from sessions_core.protocol.events import (
    Fact,
    MessageCompleted,
    MessageDequeued,
    MessageOutcome,
    MessagePosted,
    MessageStarted,
    Part,
    RunRequested,
    RunRestarted,
    RunSteered,
)
from sessions_core.protocol.ids import MessageId, RunId

BEFORE_ALL: Final = MessageId(
    UUID(int=0)
)  # stands for the message that is answered, where none was posted before the answer
SHOWN: Final[frozenset[MessageOutcome]] = frozenset(
    {"complete", "cancelled"}
)  # people read a stopped answer and replied to it
KINDS: Final = tuple(
    fact.kind
    for fact in (
        *(MessagePosted, MessageDequeued, RunSteered),
        *(MessageStarted, MessageCompleted, RunRequested, RunRestarted),
    )
)


class _Conversation(Struct):
    """The state of the fold. `answers` holds, for each posted message, the answers of each Run, the oldest Run first."""

    posted: dict[MessageId, str]
    steering: dict[MessageId, str]  # given to a Run, which has not taken them yet
    replies_to: dict[RunId, MessageId | None]
    started: dict[MessageId, tuple[RunId | None, MessageId | None]]  # by which Run, and with which parent
    answers: dict[MessageId, dict[RunId | None, list[PromptMessage]]]


def fold(facts: Iterable[tuple[RunId | None, Fact]], *, up_to: MessageId | None) -> list[PromptMessage]:
    """Returns the conversation, oldest first, up to and with the message `up_to`; None: all of it.

    `facts` are those of the KINDS in the order of the log, each with the Run that wrote it. Leaves out answers that failed, were
    interrupted or voided, never completed, or have no text, and those to messages that are not among the facts. Of the Runs that
    answered one message, the newest counts.
    """
    conversation = _Conversation({}, {}, {}, {}, {})
    for run, fact in facts:
        _apply(conversation, run, fact)
    prompt: list[PromptMessage] = []
    for message, text in conversation.posted.items():
        prompt.append(PromptMessage(role="user", text=text, message=message))
        if message == up_to:
            return prompt
        answers = [messages for messages in conversation.answers.get(message, {}).values() if messages]
        prompt += answers[-1] if answers else []
    return prompt


def _apply(conversation: _Conversation, run: RunId | None, fact: Fact) -> None:
    match fact:
        case MessagePosted() | MessageDequeued() | RunSteered():
            _place(conversation, fact)
        case RunRequested(run=requested, replies_to=replies_to):
            conversation.replies_to[requested] = replies_to
        case MessageStarted(message=message, parent=parent):
            conversation.started[message] = (run, parent)
        case MessageCompleted(message=message, parts=parts, state=state):
            if state in SHOWN and (text := _text(parts)).strip():
                _add_answer(conversation, PromptMessage(role="assistant", text=text, message=message))
        case RunRestarted(voided=voided):
            for runs in conversation.answers.values():
                if run in runs:
                    runs[run] = [answer for answer in runs[run] if answer.message not in voided]
        case _:
            pass


def _place(conversation: _Conversation, fact: MessagePosted | MessageDequeued | RunSteered) -> None:
    """Puts a message of a person where it was sent, or where a Run has taken it."""
    match fact:
        case MessagePosted(message=message, parts=parts, state="sent"):
            conversation.posted[message] = _text(parts)
        case MessagePosted(message=message, parts=parts, state="steering"):
            conversation.steering[message] = _text(parts)
        case MessageDequeued(message=message, reason="sent", parts=parts):
            conversation.posted[message] = _text(parts or ())
        case RunSteered(message=message, queued=False) if message in conversation.steering:
            conversation.posted[message] = conversation.steering.pop(message)
        case _:
            pass


def _add_answer(conversation: _Conversation, answer: PromptMessage) -> None:
    if answer.message not in conversation.started:  # it began before the facts do
        return
    run, parent = conversation.started[answer.message]
    named = (conversation.replies_to.get(run) if run else None) or parent
    # Without a name it stands after the newest message. One that is named but not posted was cut, and the answer with it.
    message = named or next(reversed(conversation.posted), BEFORE_ALL)
    conversation.answers.setdefault(message, {}).setdefault(run, []).append(answer)


def is_placed(fact: Fact) -> bool:
    """Returns whether a message of a person has its place in the conversation there."""
    match fact:
        case MessagePosted(state="sent") | MessageDequeued(reason="sent"):
            return True
        case _:
            return False


def text_of(fact: Fact) -> str:
    """Returns the text of a message that was posted."""
    return _text(fact.parts or ()) if isinstance(fact, MessagePosted | MessageDequeued) else ""


def _text(parts: Iterable[Part]) -> str:
    return "\n\n".join(part.text for part in parts if part.type == "text")
