"""A Timeline as the page lays it out: each thing said, with the answers to it below it.

static/js/ui/conversation/layout.js does the same in the browser; what the two make must be the same, so that nothing jumps when
the script takes over.
"""

from collections.abc import Collection, Mapping

from msgspec import Struct, field

from chatapp.pages.strings import STRINGS
from sessions_core.models import Run as Row
from sessions_core.protocol.timeline import Message, Run, Timeline

NOTE_KINDS = ("thinking", "queued", "stopped", "failed")
_RETRIABLE = frozenset({"failed", "interrupted", "cancelled"})


class Note(Struct, frozen=True):
    """What is said below an answer when it is not simply there; `kind` is how it looks."""

    kind: str
    text: str
    retry: bool = False


class Answer(Struct):
    """What one Run said. Without `run` it was asked for before what the Timeline holds."""

    id: str
    run: Run | None = None
    messages: list[Message] = field(default_factory=list)
    note: Note | None = None


class Exchange(Struct):
    """One Message of a person and its Answers. Without `asked`, it lies before what the Timeline holds."""

    id: str
    seq: int
    asked: Message | None = None
    answers: list[Answer] = field(default_factory=list)


def lay_out(timeline: Timeline, *, me: str, agents: Mapping[str, str]) -> list[Exchange]:
    """The turns in the order to show them; `me` is the reader's user id, `agents` are titles by name."""
    answers = _answers(timeline)
    turns = {
        message.id: Exchange(id=message.id, seq=message.seq, asked=message)
        for message in timeline.messages.values()
        if message.role == "user"
    }
    active = [run.id for run in timeline.runs.values() if run.state in Row.ACTIVE]
    for answer in answers.values():
        _note(answer, active=active, later=_retried(timeline), me=me, agents=agents)
        _turn_of(answer, turns).answers.append(answer)
    return sorted(turns.values(), key=lambda turn: turn.seq)


def _answers(timeline: Timeline) -> dict[str, Answer]:
    found = {run.id: Answer(id=run.id, run=run) for run in timeline.runs.values()}
    for message in timeline.messages.values():
        if message.role == "assistant":
            key = message.run or message.id
            found.setdefault(key, Answer(id=key)).messages.append(message)
    return found


def _turn_of(answer: Answer, turns: dict[str, Exchange]) -> Exchange:
    asked = answer.run and answer.run.replies_to
    if asked in turns:
        return turns[asked]
    seq = answer.messages[0].seq if answer.messages else 0
    return turns.setdefault(answer.id, Exchange(id=answer.id, seq=seq))


def _retried(timeline: Timeline) -> Collection[str]:
    """The Runs after which the same was asked once more."""
    newest = {run.replies_to: run.id for run in timeline.runs.values() if run.replies_to}
    return {run.id for run in timeline.runs.values() if run.replies_to and newest[run.replies_to] != run.id}


def _note(answer: Answer, *, active: list[str], later: Collection[str], me: str, agents: Mapping[str, str]) -> None:
    if answer.run is None:
        return
    run, silent = answer.run, not any(part.text for message in answer.messages for part in message.parts)
    agent = agents.get(run.agent, run.agent)
    retry = run.state in _RETRIABLE and run.id not in later
    if run.id in active:
        answer.note = _note_at_work(run, silent=silent, first=active[0] == run.id, agent=agent)
    elif run.state == "cancelled":
        answer.note = Note("stopped", _stopped(run, me), retry)
    elif run.state == "failed":
        answer.note = Note("failed", run.error.message if run.error else _say("failed"), retry)
    elif run.state == "interrupted":
        answer.note = Note("failed", f"{_say('interrupted')} {run.reason or ''}".strip(), retry)
    elif silent:
        answer.note = Note("stopped", _say("empty", agent=agent))


def _note_at_work(run: Run, *, silent: bool, first: bool, agent: str) -> Note | None:
    if run.cancel_requested_by:
        return Note("thinking", _say("stopping"))
    if not first:
        return Note("queued", _say("queued"))
    if run.progress:
        return Note("thinking", _progress(run))
    if not silent:
        return None
    return Note("thinking", _say("again" if run.attempt > 1 else "thinking", agent=agent))


def _progress(run: Run) -> str:
    progress = run.progress
    if progress is None:
        return ""
    if progress.done is None or progress.total is None:
        return progress.label
    return f"{progress.label} · {progress.done:g}/{progress.total:g}"


def _stopped(run: Run, me: str) -> str:
    if run.cancel_requested_by is None:
        return _say("stopped")
    if run.cancel_requested_by.id == me:
        return _say("stopped_by_you")
    return _say("stopped_by", name=run.cancel_requested_by.name)


def _say(key: str, **values: str) -> str:
    return str(STRINGS[key]).format(**values)
