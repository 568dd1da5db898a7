"""Random logs of a Session: several Runs at once, restarts, cancels, branches, reasoning, and text in several scripts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import get_args
from uuid import UUID

import msgspec
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from sessions_core.protocol import events as facts
from sessions_core.protocol.events import Actor, Event, Fact, PartType, encode_fact
from sessions_core.protocol.ids import AskId, MessageId, RunId
from tests.plain import random_acts

ALICE = Actor(kind="user", id="1", name="Alice")
BOB = Actor(kind="user", id="2", name="Bob")
AGENT = Actor(kind="agent", id="guide", name="Guide")
SYSTEM = facts.SYSTEM
ENDED = (UNSET, *get_args(facts.Ended))

type_of_part = st.sampled_from(("reasoning", "text"))
piece = st.text(st.sampled_from("ab é\n👍🏽🎉日\u00a0\u200d\ufe0f𝒳"), min_size=1, max_size=6)
# Mostly deltas, as in real logs: 10 is a piece of reasoning, 11 of text. Writer.do and random_acts have the others.
kind_of_act = st.sampled_from((*range(10), *(10,) * 4, *(11,) * 14, *range(12, 12 + len(random_acts.ACTS))))
act = st.tuples(kind_of_act, st.integers(0, 2), piece)
acts = st.lists(act, min_size=20, max_size=70)


@dataclass
class _Open:
    """A Message that is being written."""

    id: MessageId
    parts: list[facts.Part] = field(default_factory=list)


@dataclass
class RandomRun:
    """A Run that has not ended."""

    id: RunId
    replies_to: MessageId
    attempt: int = 0
    open: _Open | None = None
    steers: list[MessageId] = field(default_factory=list)
    asks: list[AskId] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    waits: facts.RunWaiting | None = None


class Writer:
    """Turns acts into a log that keeps the rules. Acts that are not possible are skipped."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.posted: list[MessageId] = []
        self.placed: list[MessageId] = []  # what stands in the conversation, also what agents say
        self.first_runs: dict[MessageId, RunId] = {}
        self.runs: list[RandomRun] = []
        self.queued: list[tuple[MessageId, RandomRun]] = []
        self._ids = 0

    def do(self, number: int, choice: int, text: str) -> None:
        """Does one act: `number` is its kind, `choice` its Run."""
        if number <= 1 or not self.posted:
            self.post(text, "sent", parent=self.parent(number + choice))
        elif number == 2 or not self.runs:
            self._request(choice)
        elif number == 3:
            self.append_fact(facts.SessionRenamed(title=text), BOB)
        elif number == 4:
            self._unknown(text)
        elif number >= random_acts.FIRST:
            random_acts.ACTS[number - random_acts.FIRST](self, choice, text)
        else:
            self._work(self.runs[choice % len(self.runs)], number, text)

    def _work(self, run: RandomRun, number: int, text: str) -> None:
        steps: dict[int, Callable[[], None]] = {
            5: lambda: self._restart(run, keep=len(text) % 2 == 0),
            6: lambda: self.append_of_run(run, facts.RunProgressed(label=text, done=len(text))),
            7: lambda: self._cancel(run),
            8: lambda: self._fail(run, text),
            9: lambda: self._complete(run, text),
        }
        if run.attempt == 0:
            run.attempt = 1
            self.append_of_run(run, facts.RunStarted(attempt=1), SYSTEM)
        elif number in steps:
            steps[number]()
        else:
            self._write(run, "reasoning" if number == 10 else "text", text)

    def _write(self, run: RandomRun, part_type: PartType, text: str) -> None:
        if run.open is None:
            run.open = _Open(MessageId(self.new()))
            started = facts.MessageStarted(message=run.open.id, parent=run.replies_to, role="assistant", agent="guide")
            self.append_of_run(run, started)
            self.placed.append(run.open.id)
        parts = run.open.parts
        if not parts or parts[-1].type != part_type:
            parts.append(facts.Part(part_type, ""))
        before = parts[-1].text
        parts[-1] = facts.Part(part_type, before + text)
        self.append_of_run(
            run,
            facts.MessageDelta(
                message=run.open.id, part=len(parts) - 1, part_type=part_type, offset=len(before), text=text
            ),
        )

    def parent(self, choice: int = 0) -> MessageId | None:
        """Returns what a Message follows: mostly the newest one, sometimes an earlier one or nothing, which makes a branch."""
        if not self.placed or (choice == 3 and len(self.events) % 5 == 0):
            return None
        return self.placed[len(self.events) % len(self.placed)] if choice == 3 else self.placed[-1]

    def post(self, text: str, state: facts.PostState, *, parent: MessageId | None = None) -> MessageId:
        """Posts a Message of Alice's."""
        message = MessageId(self.new())
        self.append_fact(
            facts.MessagePosted(
                message=message,
                parent=parent,
                role="user",
                parts=(facts.Part("text", text),),
                client_id=None,
                state=state,
                device="phone",
            ),
            ALICE,
        )
        if state == "sent":
            self.place(message)
        return message

    def place(self, message: MessageId) -> None:
        """Notes that the Message stands in the conversation now."""
        self.posted.append(message)
        self.placed.append(message)

    def _request(self, choice: int) -> None:
        parent = self.runs[choice % len(self.runs)].id if self.runs and choice % 2 else None
        self.runs.append(self.request(self.posted[choice % len(self.posted)], parent))

    def request(self, replies_to: MessageId, parent: RunId | None = None, *, queued: bool = False) -> RandomRun:
        """Requests a Run, which the caller has to keep. Of those that reply to one Message every other is a retry."""
        run = RandomRun(RunId(self.new()), replies_to)
        requested = facts.RunRequested(run=run.id, agent="guide", parent=parent, replies_to=replies_to, queued=queued)
        if parent is None and self.first_runs.setdefault(replies_to, run.id) != run.id and len(self.events) % 2:
            requested = msgspec.structs.replace(requested, retry_of=self.first_runs[replies_to])
        self.append_of_run(run, requested, ALICE)
        return run

    def _restart(self, run: RandomRun, *, keep: bool) -> None:
        voided = () if keep or run.open is None else (run.open.id,)
        calls = () if keep else tuple(run.calls)
        run.attempt += 1
        run.waits = None
        if voided:
            run.open = None
        if calls:
            run.calls.clear()
        self.append_of_run(run, facts.RunRestarted(attempt=run.attempt, voided=voided, voided_calls=calls), SYSTEM)

    def _cancel(self, run: RandomRun) -> None:
        self.append_fact(facts.RunCancelRequested(by="2", device=None, runs=(run.id,)), BOB)
        self._end(run, "cancelled", facts.RunCancelled())

    def _fail(self, run: RandomRun, text: str) -> None:
        self._end(run, "failed", facts.RunFailed(code="cut", message=text, retry=True))

    def _complete(self, run: RandomRun, text: str) -> None:
        ended = ENDED[len(text) % len(ENDED)]
        self._end(run, "complete", facts.RunCompleted(usage=facts.Usage(input_tokens=1, output_tokens=2)), ended)

    def _end(
        self,
        run: RandomRun,
        state: facts.MessageOutcome,
        outcome: facts.RunOutcome,
        ended: facts.Ended | UnsetType = UNSET,
    ) -> None:
        if run.open:
            parts = tuple(run.open.parts)
            completed = facts.MessageCompleted(message=run.open.id, parts=parts, state=state, ended=ended)
            self.append_of_run(run, completed)
        random_acts.close(self, run)
        self.append_of_run(run, outcome)
        self.runs.remove(run)

    def _unknown(self, text: str) -> None:
        self._append("from.the.future", msgspec.json.encode({"text": text}), SYSTEM, None)

    def append_of_run(self, run: RandomRun, fact: Fact, actor: Actor = AGENT) -> None:
        """Appends an Event of the Run."""
        self._append(fact.kind, encode_fact(fact), actor, run.id)

    def append_fact(self, fact: Fact, actor: Actor) -> None:
        """Appends an Event without a Run."""
        self._append(fact.kind, encode_fact(fact), actor, None)

    def _append(self, kind: str, data: bytes, actor: Actor, run: RunId | None) -> None:
        seq = len(self.events) + 1
        at = f"2026-01-31T12:00:00.{seq:03d}Z"
        self.events.append(Event(seq=seq, kind=kind, at=at, actor=actor, run=run, data=msgspec.Raw(data)))

    def new(self) -> UUID:
        """Returns the next id."""
        self._ids += 1
        return UUID(int=self._ids)


def write(script: list[tuple[int, int, str]]) -> list[Event]:
    """Returns the log that the acts make."""
    writer = Writer()
    for number, choice, text in script:
        writer.do(number, choice, text)
    return writer.events


logs = acts.map(write)


def compacted(log: list[Event]) -> list[Event]:
    """Returns the log without the deltas of completed Messages, as compaction leaves it."""
    closed = {_message(event) for event in log if event.kind == "message.completed"}
    return [event for event in log if event.kind != "message.delta" or _message(event) not in closed]


def _message(event: Event) -> object:
    return msgspec.json.decode(event.data).get("message")
