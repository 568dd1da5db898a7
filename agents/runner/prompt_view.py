"""The prompt view: what a model is shown of a conversation, which is less than people are shown. It is one branch: the Message to
answer and what that follows (docs/topics/branches.md).

A Message that was queued stands where it was sent, with the text that it had then, and one that steered a Run where that has
taken it. Each answer stands directly after the Message that it answers. What is sent later never changes what stands before it,
so the prefix stays the same from Run to Run and the prefix caches of providers hit.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from agents.sdk import PromptMessage
from sessions_core.protocol import timeline
from sessions_core.protocol.branches import Branches, Exchange
from sessions_core.protocol.events import (
    Event,
    MessageCompleted,
    MessageDequeued,
    MessagePosted,
    MessageStarted,
    RunRequested,
    RunRestarted,
    RunSteered,
)
from sessions_core.protocol.ids import MessageId
from sessions_core.protocol.timeline_types import Message, MessageState, Timeline

SHOWN: Final[frozenset[MessageState]] = frozenset(
    {"complete", "cancelled"}
)  # people read a stopped answer and replied to it
KINDS: Final = tuple(
    fact.kind
    for fact in (
        *(MessagePosted, MessageDequeued, RunSteered),
        *(MessageStarted, MessageCompleted, RunRequested, RunRestarted),
    )
)


class ShownExchange(Struct, frozen=True):
    """A Message of a person and the answer to it, as a model is shown them. `message` is None, and `seq` 0, where it lies before
    what was read.
    """

    message: MessageId | None
    seq: int
    shown: Sequence[PromptMessage]


class PromptView(Struct, frozen=True):
    """A branch, oldest first. `messages`: the ids of all its Messages. `is_whole`: it begins with the conversation."""

    exchanges: Sequence[ShownExchange]
    messages: frozenset[UUID]
    is_whole: bool


def fold(events: Iterable[Event], *, up_to: MessageId | None) -> PromptView:
    """Returns the branch up to and with the message `up_to`; None: the active branch.

    `events` are those of the KINDS in the order of the log. Leaves out answers that failed, were interrupted or voided, never
    completed, or have no text. Of the Runs that tried one answer, the newest counts that has said something.
    """
    folded = Timeline()
    timeline.fold(folded, events)
    branches = Branches(folded)
    path = branches.up_to(str(up_to)) if up_to else branches.active()
    first = folded.messages.get(path[0].message or "") if path else None
    return PromptView(
        exchanges=[_shown(folded, branches, exchange) for exchange in path],
        messages=frozenset(UUID(message) for message in branches.messages_of(path)),
        is_whole=first is not None and first.parent is None,
    )


def _shown(folded: Timeline, branches: Branches, exchange: Exchange) -> ShownExchange:
    posted = folded.messages.get(exchange.message or "")
    said = branches.said_in(exchange)
    runs = [each.run for each in said if _is_shown(each)]
    shown = [each for each in said if each.steered or (_is_shown(each) and each.run == runs[-1])]
    return ShownExchange(
        message=MessageId(UUID(posted.id)) if posted else None,
        seq=posted.seq if posted else 0,
        shown=[_prompt_message(each) for each in ([posted, *shown] if posted else shown)],
    )


def _is_shown(message: Message) -> bool:
    return message.role == "assistant" and message.state in SHOWN and bool(_text(message).strip())


def _prompt_message(message: Message) -> PromptMessage:
    return PromptMessage(
        role=message.role,
        text=_text(message),
        message=MessageId(UUID(message.id)),
        author=message.actor.name,
        at=datetime.fromisoformat(message.at) if message.at else None,
    )


def _text(message: Message) -> str:
    return "\n\n".join(part.text for part in message.parts if part.type == "text")
