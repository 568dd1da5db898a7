"""The Timeline: the fold of a Session's Events that a screen shows.

static/js/core/timeline.js is the same fold in JavaScript; tests/fixtures/timeline holds both together. Ids are text here, as in
the JSON that a screen gets.
"""

from collections.abc import Iterable
from typing import Literal, TypeVar

from msgspec import UNSET, Struct, UnsetType, field

from sessions_core.protocol.events import (
    Actor,
    Ended,
    Event,
    Fact,
    MessageCompleted,
    MessageDelta,
    MessageOutcome,
    MessagePosted,
    MessageStarted,
    PartType,
    PostState,
    RunCancelled,
    RunCancelRequested,
    RunCompleted,
    RunFailed,
    RunInterrupted,
    RunProgressed,
    RunRequested,
    RunRestarted,
    RunStarted,
    SessionCreated,
    SessionRenamed,
    Usage,
    decode_fact,
)
from sessions_core.protocol.run_states import INITIAL, RunState

_T = TypeVar("_T")
MessageState = Literal[PostState, "open", MessageOutcome]


class MessagePart(Struct):
    """One part of a Message, as far as it is written."""

    type: PartType
    text: str


class Message(Struct, omit_defaults=True):
    """A Message. `seq` is that of the Event that began it; `agent` and `run` are None when a person posted it. `ended`: why a
    complete Message is not the whole answer.
    """

    id: str
    role: Literal["user", "assistant"]
    parent: str | None
    agent: str | None
    actor: Actor
    at: str
    run: str | None
    seq: int
    parts: list[MessagePart]
    state: MessageState
    usage: Usage | None = None
    ended: Ended | None = None

    @property
    def text(self) -> str:
        """The text, without the reasoning."""
        return "".join(part.text for part in self.parts if part.type == "text")


class Progress(Struct, omit_defaults=True):
    """The progress that a Run reports; `done` and `total` are in a unit of its own."""

    label: str
    done: float | None = None
    total: float | None = None


class Canceller(Struct):
    """The user who asked for the cancel."""

    id: str
    name: str


class RunError(Struct):
    """The reason why a Run failed. `message` is a sentence for people; `retry`: the same request may succeed later."""

    code: str
    message: str
    retry: bool


class Run(Struct, omit_defaults=True):
    """One execution of an agent. `replies_to`: the Message that it answers; `parent`: the Run that started it."""

    id: str
    agent: str
    parent: str | None
    replies_to: str | None
    state: RunState
    attempt: int
    progress: Progress | None = None
    cancel_requested_by: Canceller | None = None
    error: RunError | None = None
    reason: str | None = None


class Timeline(Struct):
    """Messages and Runs by id, in the order of the log. `cursor` is the seq of the last Event folded."""

    messages: dict[str, Message] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    title: str | None = None
    cursor: int = 0
    epoch: int = 0


def fold(timeline: Timeline, events: Iterable[Event]) -> None:
    """Applies Events, which must be in the order of their seq, to the Timeline. Ignores those at or below its cursor, those about
    Messages and Runs that began before the Timeline, and kinds that this version does not know.
    """
    for event in events:
        if event.seq <= timeline.cursor:
            continue
        fact = decode_fact(event.kind, bytes(event.data))
        if fact is not None:
            _apply(timeline, event, fact)
        timeline.cursor = event.seq


def _apply(timeline: Timeline, event: Event, fact: Fact) -> None:
    match fact:
        case SessionCreated() | SessionRenamed():
            timeline.title = fact.title
        case MessagePosted() | MessageStarted():
            message = _begun(event, fact)
            timeline.messages[message.id] = message
        case MessageDelta() | MessageCompleted():
            if known := timeline.messages.get(str(fact.message)):
                _write(known, fact)
        case RunRequested():
            run = _requested(fact)
            timeline.runs[run.id] = run
        case RunCancelRequested():
            for reached in filter(None, (timeline.runs.get(str(run_id)) for run_id in fact.runs)):
                reached.cancel_requested_by = Canceller(id=fact.by, name=event.actor.name)
        case _:
            _advance(timeline, event, fact)


def _begun(event: Event, fact: MessagePosted | MessageStarted) -> Message:
    message = Message(
        id=str(fact.message),
        role=fact.role,
        parent=_text(fact.parent),
        agent=None,
        actor=event.actor,
        at=event.at,
        run=_text(event.run),
        seq=event.seq,
        parts=[],
        state="open",
    )
    if isinstance(fact, MessageStarted):
        message.agent = fact.agent
    else:
        message.parts = [MessagePart(part.type, part.text) for part in fact.parts]
        message.state = fact.state
    return message


def _write(message: Message, fact: MessageDelta | MessageCompleted) -> None:
    if isinstance(fact, MessageCompleted):
        message.parts = [MessagePart(part.type, part.text) for part in fact.parts]
        message.state = fact.state
        message.usage = _value(fact.usage)
        message.ended = _value(fact.ended)
        return
    while len(message.parts) <= fact.part:
        message.parts.append(MessagePart(fact.part_type, ""))
    part = message.parts[fact.part]
    # A joined delta may begin with text that is there already; its offset says where it belongs.
    part.text = part.text[: fact.offset] + fact.text


def _requested(fact: RunRequested) -> Run:
    return Run(
        id=str(fact.run),
        agent=fact.agent,
        parent=_text(fact.parent),
        replies_to=_text(fact.replies_to),
        state=INITIAL,
        attempt=0,
    )


def _advance(timeline: Timeline, event: Event, fact: Fact) -> None:
    if isinstance(fact, RunRestarted):
        for message in fact.voided:
            timeline.messages.pop(str(message), None)
    if run := timeline.runs.get(str(event.run)):
        _work(run, fact)
        _end(run, fact)


def _work(run: Run, fact: Fact) -> None:
    match fact:
        case RunStarted():
            run.state, run.attempt = RunState.RUNNING, fact.attempt
        case RunRestarted():
            run.state, run.attempt, run.progress = RunState.RUNNING, fact.attempt, None
        case RunProgressed():
            run.progress = Progress(fact.label, _value(fact.done), _value(fact.total))
        case _:
            pass


def _end(run: Run, fact: Fact) -> None:
    match fact:
        case RunCompleted():
            run.state = RunState.COMPLETED
        case RunCancelled():
            run.state = RunState.CANCELLED
        case RunFailed():
            run.state, run.error = RunState.FAILED, RunError(fact.code, fact.message, fact.retry)
        case RunInterrupted():
            run.state, run.reason = RunState.INTERRUPTED, fact.reason
        case _:
            pass


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _value(value: _T | UnsetType) -> _T | None:
    return None if value is UNSET else value
