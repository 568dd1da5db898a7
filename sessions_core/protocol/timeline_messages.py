"""The fold of Events into Messages (static/js/core/timeline-messages.js)."""

from msgspec import UNSET

from sessions_core.protocol.events import (
    Event,
    MessageCompleted,
    MessageDelta,
    MessageDequeued,
    MessagePosted,
    MessageQueuedEdited,
    MessageStarted,
    Part,
    RunSteered,
)
from sessions_core.protocol.timeline_types import Message, MessagePart, Timeline, run_of

MessageFact = MessagePosted | MessageQueuedEdited | MessageDequeued | MessageStarted | MessageDelta | MessageCompleted


def apply_message_fact(timeline: Timeline, event: Event, fact: MessageFact) -> None:
    """Applies the fact. One about a Message that began before the Timeline is ignored."""
    match fact:
        case MessagePosted() | MessageStarted():
            message = _begun(event, fact)
            timeline.messages[message.id] = message
        case MessageDequeued():
            _dequeue(timeline, event, fact)
        case MessageQueuedEdited():
            if queued := timeline.messages.get(str(fact.message)):
                queued.parts = _parts(fact.parts)
        case MessageDelta() | MessageCompleted():
            if known := timeline.messages.get(str(fact.message)):
                _write(known, fact)


def steer(timeline: Timeline, event: Event, fact: RunSteered) -> None:
    """Puts a steering Message to the place where the Run has read it, or from which on it is one like others."""
    message = timeline.messages.pop(str(fact.message), None)
    if message is None:
        return
    message.seq, message.at = event.seq, event.at
    message.state = "queued" if fact.queued and not fact.consumed else "sent"
    message.steered = run_of(event) if fact.consumed else None
    if fact.parent is not UNSET:
        message.parent = str(fact.parent) if fact.parent else None
    timeline.messages[message.id] = message


def _begun(event: Event, fact: MessagePosted | MessageStarted) -> Message:
    message = Message(
        id=str(fact.message),
        role=fact.role,
        parent=str(fact.parent) if fact.parent else None,
        agent=None,
        actor=event.actor,
        at=event.at,
        run=str(event.run) if event.run else None,
        seq=event.seq,
        parts=[],
        state="open",
    )
    if isinstance(fact, MessageStarted):
        message.agent = fact.agent
    else:
        message.parts = _parts(fact.parts)
        message.state = fact.state
    return message


def _dequeue(timeline: Timeline, event: Event, fact: MessageDequeued) -> None:
    timeline.messages.pop(str(fact.message), None)
    if fact.reason == "withdrawn" or fact.parts is UNSET:
        return
    timeline.messages[str(fact.message)] = Message(
        id=str(fact.message),
        role="user",
        parent=str(fact.parent) if fact.parent else None,
        agent=None,
        actor=event.actor,
        at=event.at,
        run=None,
        seq=event.seq,
        parts=_parts(fact.parts),
        state="sent",
    )


def _write(message: Message, fact: MessageDelta | MessageCompleted) -> None:
    if isinstance(fact, MessageCompleted):
        message.parts = _parts(fact.parts)
        message.state = fact.state
        message.usage = None if fact.usage is UNSET else fact.usage
        message.ended = None if fact.ended is UNSET else fact.ended
        return
    while len(message.parts) <= fact.part:
        message.parts.append(MessagePart(fact.part_type, ""))
    part = message.parts[fact.part]
    # A joined delta may begin with text that is there already; its offset says where it belongs.
    part.text = part.text[: fact.offset] + fact.text


def _parts(parts: tuple[Part, ...]) -> list[MessagePart]:
    return [MessagePart(part.type, part.text) for part in parts]
