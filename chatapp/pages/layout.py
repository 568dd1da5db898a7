"""The layout of a conversation: each Message of a person with the Answers to it, and the status of each Answer's Run.

static/js/ui/conversation/layout.js lays out the same Timeline in the browser. The results must be equal, or the page jumps when
the script takes over; tests/fixtures/layout holds both together.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Final, Literal

from msgspec import Struct, field

from chatapp.pages.strings import STRINGS
from sessions_core.protocol.run_states import ACTIVE, RunState
from sessions_core.protocol.timeline_types import Message, MessagePart, Progress, Run, Timeline

STATUS_KINDS: Final = ("thinking", "queued", "stopped", "failed", "unfinished")
LONG_TEXT: Final = 2_500  # code points; a longer post gets a scroll bar of its own
LONG_LINES: Final = 30


class RunStatus(Struct, frozen=True):
    """The line below an Answer that is awaited, was stopped, failed or is not whole. `kind` decides its look, `offer` its button:
    none, “Try again” or “Go on”.
    """

    kind: str
    text: str
    offer: Literal["", "retry", "go_on"] = ""


class Answer(Struct):
    """The Messages of one Run. `run` is None when the Run was requested before the Timeline begins."""

    id: str
    run: Run | None = None
    messages: list[Message] = field(default_factory=list)
    status: RunStatus | None = None


class Exchange(Struct):
    """One Message of a person and the Answers to it. `message` is None when it lies before the Timeline."""

    id: str
    seq: int
    message: Message | None = None
    answers: list[Answer] = field(default_factory=list)


class Reader(Struct, frozen=True):
    """The person who looks: `me` is the user's id, `agents` are titles of agents by name."""

    me: str
    agents: Mapping[str, str]


def lay_out(timeline: Timeline, reader: Reader) -> list[Exchange]:
    """Returns the Exchanges in the order to show them."""
    exchanges = {
        message.id: Exchange(id=message.id, seq=message.seq, message=message)
        for message in timeline.messages.values()
        if message.role == "user"
    }
    first = next((run.id for run in timeline.runs.values() if run.state in ACTIVE), None)
    newest = next(reversed(exchanges), "")
    retried = _retried(timeline)
    for answer in _answers(timeline).values():
        answer.status = _status(answer, reader, first=answer.id == first, retried=answer.id in retried, newest=newest)
        _exchange_of(answer, exchanges).answers.append(answer)
    return sorted(exchanges.values(), key=lambda exchange: exchange.seq)


def is_long(parts: Sequence[MessagePart]) -> bool:
    """Returns whether a person's Message gets a scroll bar of its own."""
    text = "".join(part.text for part in parts)
    return len(text) > LONG_TEXT or text.count("\n") > LONG_LINES


def number_text(value: float) -> str:
    """Returns the number as JavaScript writes it: 1000000, 2.5, 1e+21."""
    digits = repr(float(value))
    if value == 0:
        return "0"
    if 1e-6 <= abs(value) < 1e21:  # noqa: PLR2004  # where JavaScript begins to write exponents (Number::toString)
        return format(Decimal(digits), "f").removesuffix(".0")
    return digits.replace("e-0", "e-")


def _answers(timeline: Timeline) -> dict[str, Answer]:
    found = {run.id: Answer(id=run.id, run=run) for run in timeline.runs.values()}
    for message in timeline.messages.values():
        if message.role == "assistant":
            key = message.run or message.id
            found.setdefault(key, Answer(id=key)).messages.append(message)
    return found


def _exchange_of(answer: Answer, exchanges: dict[str, Exchange]) -> Exchange:
    answered = answer.run and answer.run.replies_to
    if answered in exchanges:
        return exchanges[answered]
    exchanges[answer.id] = Exchange(id=answer.id, seq=answer.messages[0].seq if answer.messages else 0)
    return exchanges[answer.id]


def _retried(timeline: Timeline) -> Collection[str]:
    """Returns the ids of Runs whose Message was answered by a later Run, too."""
    newest = {run.replies_to: run.id for run in timeline.runs.values() if run.replies_to}
    return {run.id for run in timeline.runs.values() if run.replies_to and newest[run.replies_to] != run.id}


def _status(answer: Answer, reader: Reader, *, first: bool, retried: bool, newest: str) -> RunStatus | None:
    run = answer.run
    if run is None:
        return None
    silent = not any(part.text for message in answer.messages for part in message.parts)
    agent = reader.agents.get(run.agent, run.agent)
    retry: Literal["", "retry"] = "" if retried else "retry"
    match run.state:
        case RunState.CANCELLED:
            return RunStatus("stopped", _stopped_text(run, reader), retry)
        case RunState.FAILED:
            return RunStatus("failed", run.error.message if run.error else _sentence("failed"), retry)
        case RunState.INTERRUPTED:
            return RunStatus("failed", " ".join(filter(None, (_sentence("interrupted"), run.reason))), retry)
        case RunState.COMPLETED:
            may_go_on = not retried and run.replies_to == newest
            return _status_of_completed(answer, silent=silent, may_go_on=may_go_on, agent=agent)
        case _:
            return _status_at_work(run, silent=silent, first=first, agent=agent)


def _status_of_completed(answer: Answer, *, silent: bool, may_go_on: bool, agent: str) -> RunStatus | None:
    ended = answer.messages[-1].ended if answer.messages else None
    if ended:
        offer: Literal["", "go_on"] = "go_on" if ended == "truncated" and may_go_on else ""
        return RunStatus("unfinished", _sentence(ended, agent=agent), offer)
    return RunStatus("stopped", _sentence("empty", agent=agent)) if silent else None


def _status_at_work(run: Run, *, silent: bool, first: bool, agent: str) -> RunStatus | None:
    if run.cancel_requested_by:
        return RunStatus("thinking", _sentence("stopping"))
    if not first:
        return RunStatus("queued", _sentence("queued"))
    if run.progress:
        return RunStatus("thinking", _progress_text(run.progress))
    if not silent:
        return None
    return RunStatus("thinking", _sentence("again" if run.attempt > 1 else "thinking", agent=agent))


def _progress_text(progress: Progress) -> str:
    if progress.done is None or progress.total is None:
        return progress.label
    return f"{progress.label} · {number_text(progress.done)}/{number_text(progress.total)}"


def _stopped_text(run: Run, reader: Reader) -> str:
    if run.cancel_requested_by is None:
        return _sentence("stopped")
    if run.cancel_requested_by.id == reader.me:
        return _sentence("stopped_by_you")
    return _sentence("stopped_by", name=run.cancel_requested_by.name)


def _sentence(key: str, **values: str) -> str:
    return str(STRINGS[key]).format(**values)
