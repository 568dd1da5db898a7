"""Checks what the log alone can show: the promises P1 and P4 to P9, and the script's words."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import chain
from typing import Final

import msgspec
from typing_extensions import override

from tests.faults.truth import DELTA, TERMINAL, Row, Truth

SAYING: Final = frozenset({DELTA, "message.started", "tool.called"})
# What the script says beside its words: what became of its question, and at the end what people wrote to it.
_BESIDE: Final = re.compile(r"(^| )(answered|declined) \S+|(^| )steered .*$", re.DOTALL)


class Promise(StrEnum):
    """What is promised, by what is found where it is broken."""

    LOG = "holes in a log, posts lost or doubled, wrong words"
    ENDS = "Runs without an end, or with two"
    FENCE = "writes after a fence"
    CANCEL = "deltas after a cancel"
    ASKS = "asks answered twice"
    STEERS = "steers lost or doubled"
    QUEUE = "queued messages lost or doubled"
    STEPS = "steps done twice"


_WAITING: Final = {"steering": Promise.STEERS, "queued": Promise.QUEUE}  # by the state of a post


class Broken(msgspec.Struct, frozen=True):
    """A promise that is broken, and where."""

    promise: Promise
    sentence: str

    @override
    def __str__(self) -> str:
        return self.sentence


class Ack(msgspec.Struct, frozen=True):
    """A post that the server acknowledged."""

    session: str
    id: str
    seq: int
    message: str | None
    run: str | None


def broken(truth: Truth, acks: Sequence[Ack]) -> list[Broken]:
    """Returns each breach of a promise that this log shows."""
    found: dict[Promise, Iterable[str]] = {
        Promise.LOG: chain(_gapless(truth), _commands(truth, acks), _texts(truth)),
        Promise.ENDS: _runs_end(truth),
        Promise.FENCE: _fences(truth),
        Promise.CANCEL: _cancels(truth),
        Promise.ASKS: _once(truth, Promise.ASKS),
        Promise.STEERS: chain(_once(truth, Promise.STEERS), _steers(truth)),
        Promise.QUEUE: _once(truth, Promise.QUEUE),
        Promise.STEPS: _once(truth, Promise.STEPS),
    }
    return [Broken(promise, sentence) for promise, sentences in found.items() for sentence in sentences]


def kept(truth: Truth) -> Counter[Promise]:
    """Returns how often each promise was put to the test."""
    return Counter(promise for row in truth.facts for promise in _tested(row))


def _tested(row: Row) -> Iterator[Promise]:
    match row.kind:
        case "run.requested":
            yield Promise.ENDS
        case "run.restarted" | "run.resumed":
            yield Promise.FENCE
        case "run.cancel_requested":
            yield from [Promise.CANCEL] * len(row.data["runs"])
        case "ask.opened":
            yield Promise.ASKS
        case "step.completed":
            yield Promise.STEPS
        case "message.posted":
            yield Promise.LOG
            if (promise := _WAITING.get(row.data.get("state", "sent"))) is not None:
                yield promise
        case _:
            pass


def _gapless(truth: Truth) -> Iterator[str]:
    """P1: without compaction every seq is there; with it only deltas of completed Messages may be missing."""
    seqs = [row.seq for row in truth.rows]
    if len(set(seqs)) != len(seqs):
        yield "a seq is there twice"
    compacted = [spoken for spoken in truth.spoken.values() if spoken.compacted and spoken.completed]
    if not compacted and seqs != list(range(1, truth.head + 1)):
        yield f"the log has holes: {len(seqs)} rows up to the head {truth.head}"
    if seqs and seqs[-1] > truth.head:
        yield f"row {seqs[-1]} lies above the head {truth.head}"


def _commands(truth: Truth, acks: Sequence[Ack]) -> Iterator[str]:
    """P4 and P5: an acknowledged post is in the log once, as acknowledged; a repeat is acknowledged the same."""
    acks = [ack for ack in acks if ack.session == truth.session]
    posted = [row for row in truth.facts if row.kind == "message.posted"]
    times = Counter(row.data["client_id"] for row in posted)
    yield from (f"the post {id} is there {n} times" for id, n in times.items() if id is not None and n > 1)
    rows = {row.data["client_id"]: row for row in posted}
    wanted = {row.data["replies_to"]: row.data["run"] for row in reversed(truth.facts) if row.kind == "run.requested"}
    for ack in acks:
        row = rows.get(ack.id)
        if row is None:
            yield f"the post {ack.id} was acknowledged, but is not there"
        elif (row.seq, row.data["message"]) != (ack.seq, ack.message):
            yield f"the post {ack.id} is at {row.seq}, the answer said {ack.seq}"
        elif ack.run != (None if row.data.get("state") == "steering" else wanted.get(ack.message or "")):
            yield f"the answer to the post {ack.id} names another Run than the log"


def _runs_end(truth: Truth) -> Iterator[str]:
    """P8: each Run has one terminal Event, and no Event after it."""
    ended: dict[str, str] = {}
    requested: set[str] = set()
    for row in truth.rows:
        if row.kind == "run.requested":
            requested.add(row.data["run"])
        if row.run is None:
            continue
        if row.run in ended:
            yield f"{row.kind} at {row.seq} comes after {ended[row.run]} of its Run"
        if row.kind in TERMINAL:
            ended[row.run] = row.kind
    yield from (f"the Run {run} never ended" for run in sorted(requested - ended.keys()))


def _cancels(truth: Truth) -> Iterator[str]:
    """P7: after `run.cancel_requested` the Run says nothing more."""
    stopped: dict[str, int] = {}
    for row in truth.rows:
        if row.kind == "run.cancel_requested":
            stopped.update(dict.fromkeys(row.data["runs"], row.seq))
        elif row.run in stopped and row.kind in SAYING:
            yield f"{row.kind} at {row.seq} comes after Stop at {stopped[row.run]}"


def _fences(truth: Truth) -> Iterator[str]:
    """P6, as far as the log shows it: nothing is added to a Message that a later attempt voided."""
    voided: dict[str, int] = {}
    attempts: dict[str, int] = {}
    for row in truth.rows:
        if row.kind in {"run.started", "run.restarted"} and row.run is not None:
            if row.data["attempt"] <= attempts.get(row.run, 0):
                yield f"attempt {row.data['attempt']} at {row.seq} comes after attempt {attempts[row.run]}"
            attempts[row.run] = row.data["attempt"]
            voided.update(dict.fromkeys(row.data.get("voided", ()), row.seq))
        elif row.kind in {DELTA, "message.completed"} and row.data["message"] in voided:
            yield f"{row.kind} at {row.seq} is of a message that was voided at {voided[row.data['message']]}"


def _once(truth: Truth, promise: Promise) -> Iterator[str]:
    """A steer is taken or passed on, a queued Message leaves the queue, an ask ends and a Step is completed (P9): each once."""
    ends = Counter(id for row in truth.facts for of, id in _ended(row) if of is promise)
    yield from (f"{id} has {n} ends" for id, n in ends.items() if n > 1)
    for row in truth.facts:
        state = row.data.get("state", "sent") if row.kind == "message.posted" else "sent"
        if _WAITING.get(state) is promise and not ends[f"the {state} message {row.data['message']}"]:
            yield f"the {state} message {row.data['message']} was lost"


def _ended(row: Row) -> Iterator[tuple[Promise, str]]:
    match row.kind:
        case "run.steered":
            yield Promise.STEERS, f"the steering message {row.data['message']}"
        case "message.dequeued":
            yield Promise.QUEUE, f"the queued message {row.data['message']}"
        case "ask.answered" | "ask.closed":
            yield Promise.ASKS, f"the ask {row.data['ask']}"
        case "step.completed":
            yield Promise.STEPS, f"the step {row.run}/{row.data['key']}"
        case _:
            pass


def _steers(truth: Truth) -> Iterator[str]:
    """A steer that its Run has taken gets no Run of its own; one that it has not taken gets one."""
    answers = Counter(row.data["replies_to"] for row in truth.facts if row.kind == "run.requested")
    for row in truth.facts:
        if row.kind == "run.steered":
            n = answers[row.data["message"]]
            if row.data["consumed"] and n:
                yield f"the steering message {row.data['message']} was taken, and answered by a Run of its own"
            elif not row.data["consumed"] and not n:
                yield f"the steering message {row.data['message']} was passed on to nobody"


def _texts(truth: Truth) -> Iterator[str]:
    """The script's words are there, none missing, doubled or moved; all of them where the answer is complete."""
    wanted = {
        row.data["run"]: row.data["replies_to"]
        for row in truth.facts
        if row.kind == "run.requested" and row.data["agent"] == "script"
    }
    scripts = {row.data["message"]: _words_of(row) for row in truth.facts if row.kind == "message.posted"}
    for (message, _), spoken in truth.spoken.items():
        if spoken.gap:
            yield f"the deltas of {message} do not continue each other"
        if not spoken.compacted and spoken.completed not in {None, spoken.text}:
            yield f"{message} was completed with another text than its deltas made"
    texts: dict[str | None, str] = {}  # by Run: a steer that is taken parts a Message in two
    for row in truth.facts:
        n = scripts.get(wanted.get(row.run or ""))
        if n is not None and row.kind == "message.completed":
            said = "".join(part["text"] for part in row.data["parts"] if part["type"] == "text")
            texts[row.run] = text = (texts.get(row.run, "") + _BESIDE.sub("", said)).removeprefix(" ")
            if not say(n).startswith(text):
                yield f"the {row.data['state']} answer at {row.seq} is not the script's: {text[:60]!r}…"
        elif n is not None and row.kind == "run.completed" and texts.get(row.run, "") != say(n):
            yield f"the answer that ends at {row.seq} is not the script's: {texts.get(row.run, '')[:60]!r}…"


def _words_of(row: Row) -> int | None:
    text = "".join(part["text"] for part in row.data["parts"])
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    return found.get("words") if isinstance(found, dict) else None


def say(n: int) -> str:
    """Returns what the script says: `w1 w2 … wN`."""
    return " ".join(f"w{i}" for i in range(1, n + 1))
