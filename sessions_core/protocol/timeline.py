"""The Timeline: the fold of a Session's Events that a screen shows.

static/js/core/timeline.js is the same fold in JavaScript; tests/fixtures/timeline holds both together.
"""

from collections.abc import Iterable

from msgspec import UNSET

from sessions_core.protocol.events import (
    AskAnswered,
    AskClosed,
    AskOpened,
    ConsentGranted,
    ConsentRevoked,
    Event,
    Fact,
    MessageCompleted,
    MessageDelta,
    MessageDequeued,
    MessagePosted,
    MessageQueuedEdited,
    MessageStarted,
    QueuePaused,
    QueueResumed,
    RunCancelled,
    RunCancelRequested,
    RunCompleted,
    RunFailed,
    RunInterrupted,
    RunOutcome,
    RunProgressed,
    RunRequested,
    RunRestarted,
    RunResumed,
    RunStarted,
    RunSteered,
    RunWaiting,
    SessionCreated,
    SessionRenamed,
    ToolCalled,
    ToolFailed,
    ToolProgressed,
    ToolReturned,
    decode_fact,
)
from sessions_core.protocol.run_states import INITIAL, RunState
from sessions_core.protocol.timeline_messages import apply_message_fact, steer
from sessions_core.protocol.timeline_types import Person, Progress, Queue, Run, RunError, Timeline, run_of
from sessions_core.protocol.timeline_work import apply_ask_fact, apply_consent, apply_tool_fact, call_key, value


def fold(timeline: Timeline, events: Iterable[Event]) -> None:
    """Applies Events, which must be in the order of their seq, to the Timeline. Ignores those at or below its cursor, those about
    what began before the Timeline, and kinds that this version does not know.
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
        case (
            MessagePosted()
            | MessageQueuedEdited()
            | MessageDequeued()
            | MessageStarted()
            | MessageDelta()
            | MessageCompleted()
        ):
            apply_message_fact(timeline, event, fact)
            if isinstance(fact, MessageDequeued):
                _begin_run(timeline, event, fact)
        case ToolCalled() | ToolProgressed() | ToolReturned() | ToolFailed():
            apply_tool_fact(timeline, event, fact)
        case AskOpened() | AskAnswered() | AskClosed():
            apply_ask_fact(timeline, event, fact)
        case ConsentGranted() | ConsentRevoked():
            apply_consent(timeline, event, fact)
        case QueuePaused():
            timeline.queue = Queue(paused=True, reason=fact.reason, run=str(fact.run))
        case QueueResumed():
            timeline.queue = Queue(paused=False)
        case RunSteered():
            steer(timeline, event, fact)
        case _:
            _apply_to_runs(timeline, event, fact)


def _begin_run(timeline: Timeline, event: Event, fact: MessageDequeued) -> None:
    """Adds the Run of a Message that was queued before the Timeline begins."""
    run = run_of(event)
    if fact.agent is not UNSET and run not in timeline.runs:
        timeline.runs[run] = Run(
            id=run, agent=fact.agent, parent=None, replies_to=str(fact.message), state=INITIAL, attempt=0
        )


def _apply_to_runs(timeline: Timeline, event: Event, fact: Fact) -> None:
    match fact:
        case RunRequested():
            timeline.runs[str(fact.run)] = Run(
                id=str(fact.run),
                agent=fact.agent,
                parent=str(fact.parent) if fact.parent else None,
                replies_to=str(fact.replies_to) if fact.replies_to else None,
                state=INITIAL,
                attempt=0,
                seq=None if fact.queued else event.seq,
                retry_of=str(fact.retry_of) if fact.retry_of else None,
            )
        case RunCancelRequested():
            for reached in filter(None, (timeline.runs.get(str(run_id)) for run_id in fact.runs)):
                reached.cancel_requested_by = Person(id=fact.by, name=event.actor.name)
        case _:
            if isinstance(fact, RunRestarted):
                _void(timeline, event, fact)
            if run := timeline.runs.get(run_of(event)):
                _work(run, event, fact)
                _end(run, fact)


def _void(timeline: Timeline, event: Event, fact: RunRestarted) -> None:
    for message in fact.voided:
        timeline.messages.pop(str(message), None)
    for call in fact.voided_calls:
        timeline.calls.pop(call_key(run_of(event), call), None)


def _work(run: Run, event: Event, fact: Fact) -> None:
    match fact:
        case RunStarted():
            run.state, run.attempt, run.seq = RunState.RUNNING, fact.attempt, event.seq
        case RunRestarted():
            run.state, run.attempt = RunState.RUNNING, fact.attempt
            run.progress = run.waiting = None
        case RunProgressed():
            run.progress = Progress(fact.label, value(fact.done), value(fact.total))
        case RunWaiting():
            run.state, run.waiting = RunState.WAITING, fact
        case RunResumed():
            run.state, run.waiting = RunState.RUNNING, None
        case _:
            pass


def _end(run: Run, fact: Fact) -> None:
    if not isinstance(fact, RunOutcome):
        return
    run.waiting = None
    run.usage = value(fact.usage)
    match fact:
        case RunCompleted():
            run.state = RunState.COMPLETED
        case RunCancelled():
            run.state = RunState.CANCELLED
        case RunFailed():
            run.state, run.error = RunState.FAILED, RunError(fact.code, fact.message, fact.retry)
        case RunInterrupted():
            run.state, run.reason = RunState.INTERRUPTED, fact.reason
