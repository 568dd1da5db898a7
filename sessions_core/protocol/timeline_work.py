"""The fold of Events into tool calls, asks and consents (static/js/core/timeline-work.js)."""

from typing import TypeVar

from msgspec import UNSET, UnsetType

from sessions_core.protocol.events import (
    AskAnswered,
    AskClosed,
    AskOpened,
    ConsentGranted,
    ConsentRevoked,
    Event,
    ToolCalled,
    ToolFailed,
    ToolProgressed,
    ToolReturned,
)
from sessions_core.protocol.timeline_types import Ask, Consent, Person, Progress, Timeline, ToolCall, run_of

_T = TypeVar("_T")
ToolFact = ToolCalled | ToolProgressed | ToolReturned | ToolFailed
AskFact = AskOpened | AskAnswered | AskClosed


def apply_tool_fact(timeline: Timeline, event: Event, fact: ToolFact) -> None:
    """Applies the fact. One about a call that began before the Timeline is ignored."""
    key = call_key(run_of(event), fact.call)
    if isinstance(fact, ToolCalled):
        timeline.calls[key] = ToolCall(
            id=fact.call,
            run=run_of(event),
            name=fact.name,
            input=fact.input,
            seq=event.seq,
            state="called",
            message=str(fact.message) if fact.message else None,
            step=value(fact.step),
        )
    elif call := timeline.calls.get(key):
        _advance(call, fact)


def call_key(run: str, call: str) -> str:
    """Returns the key of a call in `calls`. Providers give calls ids that are unique in one answer only."""
    return f"{run}/{call}"


def apply_ask_fact(timeline: Timeline, event: Event, fact: AskFact) -> None:
    """Applies the fact. One about an ask that was opened before the Timeline is ignored."""
    if isinstance(fact, AskOpened):
        timeline.asks[str(fact.ask)] = _opened(event, fact)
        return
    ask = timeline.asks.get(str(fact.ask))
    if ask is None:
        return
    if isinstance(fact, AskAnswered):
        ask.state = "answered"
        ask.value = fact.value
        ask.answered_by = Person(id=fact.by, name=event.actor.name)
        ask.device = fact.device
        ask.device_label = value(fact.device_label)
    else:
        ask.state = "closed"
        ask.reason = fact.reason
        ask.message = str(fact.message) if fact.message else None
        if event.actor.kind == "user":
            ask.closed_by = Person(id=event.actor.id, name=event.actor.name)


def apply_consent(timeline: Timeline, event: Event, fact: ConsentGranted | ConsentRevoked) -> None:
    """Adds or removes the consent."""
    key = f"{fact.agent}/{fact.tool}"
    if isinstance(fact, ConsentRevoked):
        timeline.consents.pop(key, None)
    else:
        by = Person(id=fact.by, name=event.actor.name)
        timeline.consents[key] = Consent(tool=fact.tool, agent=fact.agent, by=by)


def value(given: _T | UnsetType) -> _T | None:
    """Returns None for what is not set."""
    return None if given is UNSET else given


def _advance(call: ToolCall, fact: ToolProgressed | ToolReturned | ToolFailed) -> None:
    match fact:
        case ToolProgressed():
            call.progress = Progress(fact.label, value(fact.done), value(fact.total))
        case ToolReturned():
            call.state, call.output = "returned", fact.output
        case ToolFailed():
            call.state, call.error, call.unknown = "failed", fact.error, fact.unknown


def _opened(event: Event, fact: AskOpened) -> Ask:
    return Ask(
        id=str(fact.ask),
        run=run_of(event),
        seq=event.seq,
        at=event.at,
        kind=fact.ask_kind,
        title=fact.title,
        schema=fact.schema,
        state="open",
        expires_at=value(fact.expires_at),
        by=value(fact.by),
        call=value(fact.call),
        tool=value(fact.tool),
        default=fact.default,
    )
