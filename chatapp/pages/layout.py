"""The layout of a conversation: each Message of a person with the Answers to it, the status of each Answer's Run, and the queue.

static/js/ui/conversation/layout.js lays out the same Timeline in the browser. The results must be equal, or the page jumps when
the script takes over; tests/fixtures/layout holds both together.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from chatapp.pages.run_status import Reader, RunStatus, Situation, run_status
from chatapp.pages.wording import sentence
from sessions_core.protocol.branches import active_branch
from sessions_core.protocol.run_states import ACTIVE, RunState
from sessions_core.protocol.timeline_types import Ask, Message, MessagePart, Run, Timeline, ToolCall

LONG_TEXT: Final = 2_500  # code points; a longer post gets a scroll bar of its own
LONG_LINES: Final = 30
GIVES_TURN: Final = ("sleep", "signal")  # a Run that waits for these lets others go on

Item = Message | ToolCall | Ask


class Answer(Struct):
    """What a Run has done, in order; a Message that it read meanwhile begins another Answer. `run` is None when the Run was
    requested before the Timeline begins; `run_id` is known nevertheless.
    """

    id: str
    run_id: str
    run: Run | None = None
    items: list[Item] = field(default_factory=list)
    status: RunStatus | None = None


class Exchange(Struct):
    """One Message of a person and the Answers to it. `message` is None when it lies before the Timeline. `note`: what became of
    the Message.
    """

    id: str
    seq: int
    message: Message | None = None
    note: str = ""
    answers: list[Answer] = field(default_factory=list)


class QueueView(Struct, frozen=True):
    """The Messages that wait for their turn. `paused`: why they wait for a person; empty while they do not."""

    messages: list[Message]
    paused: str


def lay_out(whole: Timeline, reader: Reader) -> list[Exchange]:
    """Returns the Exchanges of the active branch, in the order to show them."""
    timeline = active_branch(whole)
    exchanges = {
        message.id: Exchange(id=message.id, seq=message.seq, message=message, note=_note(message))
        for message in timeline.messages.values()
        if message.role == "user" and message.state != "queued"
    }
    steers = _steers(exchanges)
    newest = next(reversed(exchanges), "")
    first = run_of_turn(timeline)
    retried = _retried(timeline)
    for run_id, items in _items(timeline).items():
        run = timeline.runs.get(run_id)
        if run and _is_hidden(run, items, timeline):
            continue
        answers = _answers(run_id, run, items, steers.get(run_id, []))
        places = [exchanges.get(answer.id) or _exchange_of(answer, exchanges) for answer in answers]
        for answer, place in zip(answers, places, strict=True):
            place.answers.append(answer)
        if run:
            messages = [item for item in items if isinstance(item, Message)]
            situation = Situation(
                silent=not any(part.text for message in messages for part in message.parts),
                ended=messages[-1].ended if messages else None,
                first=run_id == first,
                retried=run_id in retried,
                newest=places[-1].id == newest,
                asks=tuple(item for item in items if isinstance(item, Ask) and item.state == "open"),
            )
            answers[-1].status = run_status(run, situation, reader)
    return sorted(exchanges.values(), key=_place)


def queue_of(timeline: Timeline) -> QueueView:
    """Returns the queue, in the order in which its Messages are sent."""
    queue = timeline.queue
    paused = sentence(f"paused_{queue.reason}") if queue and queue.paused else ""
    return QueueView([each for each in timeline.messages.values() if each.state == "queued"], paused)


def run_of_turn(timeline: Timeline) -> str:
    """Returns the id of the Run that has the turn, or is next; empty where there is none."""
    for run in timeline.runs.values():
        waits_aside = run.waiting is not None and run.waiting.on in GIVES_TURN
        if run.state in ACTIVE and run.parent is None and not waits_aside and run.seq is not None:
            return run.id
    return ""


def run_to_stop(timeline: Timeline) -> str:
    """Returns the id of the Run that Stop is about; empty where there is none. What waits in the queue is not."""
    at_work = (run.id for run in timeline.runs.values() if run.state in ACTIVE and not _is_queued(run, timeline))
    return run_of_turn(timeline) or next(at_work, "")


def is_long(parts: Sequence[MessagePart]) -> bool:
    """Returns whether a person's Message gets a scroll bar of its own."""
    text = "".join(part.text for part in parts)
    return len(text) > LONG_TEXT or text.count("\n") > LONG_LINES


def _place(exchange: Exchange) -> tuple[bool, int]:
    """Returns the order of an Exchange: a Message that was not read yet comes last."""
    return exchange.message is not None and exchange.message.state == "steering", exchange.seq


def _note(message: Message) -> str:
    if message.state == "steering":
        return sentence("steering")
    return sentence("steered") if message.steered is not None else ""


def _steers(exchanges: Mapping[str, Exchange]) -> dict[str, list[Exchange]]:
    """Returns the Messages that Runs have read while they worked, by the Run's id."""
    found: dict[str, list[Exchange]] = {}
    for exchange in exchanges.values():
        if exchange.message and exchange.message.steered is not None:
            found.setdefault(exchange.message.steered, []).append(exchange)
    return found


def _items(timeline: Timeline) -> dict[str, list[Item]]:
    """Returns what each Run did, by the Run's id; a Message without a Run stands for itself."""
    found: dict[str, list[Item]] = {run: [] for run in timeline.runs}
    for message in timeline.messages.values():
        if message.role == "assistant":
            found.setdefault(message.run or message.id, []).append(message)
    others: Iterable[ToolCall | Ask] = (*timeline.calls.values(), *timeline.asks.values())
    for other in others:
        found.setdefault(other.run, []).append(other)
    for items in found.values():
        items.sort(key=lambda item: item.seq)
    return found


def _answers(run_id: str, run: Run | None, items: Sequence[Item], steers: Sequence[Exchange]) -> list[Answer]:
    """Divides the items where the Run has read a Message. Leaves out what is empty, but for the last."""
    answers = [Answer(id=run_id, run_id=run_id, run=run)]
    answers += [Answer(id=steer.id, run_id=run_id, run=run) for steer in steers]
    for item in items:
        place = sum(steer.seq < item.seq for steer in steers)
        answers[place].items.append(item)
    return [answer for answer in answers if answer.items or answer is answers[-1]]


def _exchange_of(answer: Answer, exchanges: dict[str, Exchange]) -> Exchange:
    begun = next((item for item in answer.items if isinstance(item, Message)), None)
    answered = answer.run.replies_to if answer.run else begun and begun.parent
    if answered in exchanges:
        return exchanges[answered]
    exchanges[answer.id] = Exchange(id=answer.id, seq=answer.items[0].seq if answer.items else 0)
    return exchanges[answer.id]


def _is_queued(run: Run, timeline: Timeline) -> bool:
    message = timeline.messages.get(run.replies_to or "")
    return message is not None and message.state == "queued"


def _is_hidden(run: Run, items: Sequence[Item], timeline: Timeline) -> bool:
    """Returns whether there is nothing to show of the Run: its Message waits in the queue, or was taken back."""
    is_gone = run.state == RunState.CANCELLED and run.replies_to is not None and run.replies_to not in timeline.messages
    return _is_queued(run, timeline) or (is_gone and not items)


def _retried(timeline: Timeline) -> Collection[str]:
    """Returns the ids of Runs whose Message was answered by a later Run, too."""
    newest = {run.replies_to: run.id for run in timeline.runs.values() if run.replies_to}
    return {run.id for run in timeline.runs.values() if run.replies_to and newest[run.replies_to] != run.id}
