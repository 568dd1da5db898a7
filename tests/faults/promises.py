"""Checks what the log alone can show: the promises P1 and P4 to P9, and the script's words."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from tests.faults.truth import DELTA, TERMINAL, Row, Truth

SAYING: Final = frozenset({DELTA, "message.started", "tool.called"})
_WORD: Final = re.compile(r"w(\d+)")


class Ack(msgspec.Struct, frozen=True):
    """A post that the server acknowledged."""

    session: str
    id: str
    seq: int
    message: str | None
    run: str | None


def broken(truth: Truth, acks: Sequence[Ack]) -> list[str]:
    """Returns a sentence for each promise that this log breaks."""
    return [
        *_gapless(truth),
        *_commands(truth, [ack for ack in acks if ack.session == truth.session]),
        *_runs_end(truth),
        *_cancels(truth),
        *_fences(truth),
        *_once(truth),
        *_texts(truth),
    ]


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


def _once(truth: Truth) -> Iterator[str]:
    """A steer is taken or passed on, a queued Message leaves the queue, an ask ends and a Step is completed (P9): each once."""
    ends = Counter((kind, id) for row in truth.facts for kind, id in _ended(row))
    yield from (f"{kind} {id} has {n} ends" for (kind, id), n in ends.items() if n > 1)
    for row in truth.facts:
        state = row.data.get("state", "sent") if row.kind == "message.posted" else "sent"
        if state != "sent" and not ends[state, row.data["message"]]:
            yield f"the {state} message {row.data['message']} was lost"


def _ended(row: Row) -> Iterator[tuple[str, str]]:
    match row.kind:
        case "run.steered":
            yield "steering", row.data["message"]
        case "message.dequeued":
            yield "queued", row.data["message"]
        case "ask.answered" | "ask.closed":
            yield "ask", row.data["ask"]
        case "step.completed":
            yield "step", f"{row.run}/{row.data['key']}"
        case _:
            pass


def _texts(truth: Truth) -> Iterator[str]:
    """The script's words are there, none missing, doubled or moved; all of them where the answer is complete."""
    wanted = {row.data["run"]: row.data["replies_to"] for row in truth.facts if row.kind == "run.requested"}
    scripts = {row.data["message"]: _words_of(row) for row in truth.facts if row.kind == "message.posted"}
    for (message, _), spoken in truth.spoken.items():
        if spoken.gap:
            yield f"the deltas of {message} do not continue each other"
        if not spoken.compacted and spoken.completed not in {None, spoken.text}:
            yield f"{message} was completed with another text than its deltas made"
    for row in truth.facts:
        if row.kind == "message.completed":
            text = "".join(part["text"] for part in row.data["parts"] if part["type"] == "text")
            n = scripts.get(wanted.get(row.run or ""))
            whole = row.data["state"] == "complete"
            if n is not None and not (text == say(n) if whole else say(n).startswith(text)):
                yield f"the {row.data['state']} answer at {row.seq} is not the script's: {text[:60]!r}…"


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
