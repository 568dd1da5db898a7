"""Compares what a reader got with the log (P1, P2, P4, P10). It trusts neither the engine nor the client.

Facts (Events of all kinds but deltas) are compared one by one. Deltas may come merged and are deleted by compaction, so they
are compared by the text that they make.
"""

from collections.abc import Iterable, Sequence

import msgspec

from sessions_client import Batch, Event
from sessions_client.frames import Events, parse
from tests.faults.truth import DELTA, PartKey, Row, Spoken, Truth


class Findings(msgspec.Struct):
    """Counts of Events that were missing, doubled, reordered, or not in the log at all (`foreign`); `notes` say where."""

    missing: int = 0
    doubled: int = 0
    reordered: int = 0
    foreign: int = 0
    notes: list[str] = []

    def add(self, other: "Findings") -> None:
        self.missing += other.missing
        self.doubled += other.doubled
        self.reordered += other.reordered
        self.foreign += other.foreign
        self.notes += other.notes

    @property
    def clean(self) -> bool:
        return not (self.missing or self.doubled or self.reordered or self.foreign or self.notes)


def check_reader(truth: Truth, batches: Sequence[Batch], *, name: str, live: bool = True) -> Findings:
    """Checks that what a reader applied, batch by batch, is a prefix of the log; of a `live` reader, the whole log."""
    findings = Findings()
    lives: list[list[Batch]] = []
    for batch in batches:
        if batch.restarted or not lives:
            lives.append([])
        elif batch.start != lives[-1][-1].end:
            findings.notes.append(f"{name}: a batch from {batch.start} was applied at cursor {lives[-1][-1].end}")
        lives[-1].append(batch)
    for life in lives:
        events = [event for batch in life for event in batch.events]
        findings.add(_Stretch(truth, life[0].start, life[-1].end, name).check(events))
    reached = lives[-1][-1].end if lives else 0
    if live and reached != truth.head:
        findings.missing += max(1, len(truth.between(reached, truth.head)))
        findings.notes.append(f"{name}: ended at {reached}, the head is {truth.head}")
    return findings


def check_frames(truths: dict[str, Truth], frames: Iterable[str], *, name: str) -> Findings:
    """Checks that every `events` frame holds exactly the Events that the log has in its range, in order."""
    findings = Findings()
    for text in frames:
        frame = parse(text)
        if isinstance(frame, Events) and frame.session in truths:
            stretch = _Stretch(
                truths[frame.session], frame.start, frame.end, f"{name}, frame ({frame.start}, {frame.end}]"
            )
            findings.add(stretch.check(frame.events))
    return findings


class _Stretch:
    """Compares the seqs (`start`, `end`] of the log with the Events that somebody got for them."""

    def __init__(self, truth: Truth, start: int, end: int, name: str) -> None:
        self._truth = truth
        self._start = start
        self._end = end
        self._name = name
        self._findings = Findings()
        self._lengths: dict[PartKey, int] = {}

    def check(self, events: Sequence[Event]) -> Findings:
        expected = self._truth.between(self._start, self._end)
        facts = [event for event in events if event.kind != DELTA]
        self._order(events)
        # Almost always they are equal, and there are very many frames: compare further only where they are not.
        if [event.seq for event in facts] != [row.seq for row in expected]:
            self._compare(facts, expected)
        self._contents(facts, expected)
        for event in events:
            if event.kind == DELTA:
                self._delta(event)
            elif event.kind == "message.completed":
                self._whole(event.data["message"], event.seq)
        self._texts_to_the_end()
        return self._findings

    def _order(self, events: Sequence[Event]) -> None:
        seen: set[int] = set()
        newest = self._start
        for event in events:
            if event.seq in seen:
                self._findings.doubled += 1
                self._note(f"{event.seq} came twice")
            elif event.seq < newest:
                self._findings.reordered += 1
                self._note(f"{event.seq} came after {newest}")
            if not self._start < event.seq <= self._end:
                self._findings.foreign += 1
                self._note(f"{event.seq} is outside of its range")
            seen.add(event.seq)
            newest = max(newest, event.seq)

    def _compare(self, facts: Sequence[Event], expected: Sequence[Row]) -> None:
        got, wanted = {event.seq for event in facts}, {row.seq for row in expected}
        if missing := sorted(wanted - got):
            self._findings.missing += len(missing)
            self._note(f"{missing[:5]} are missing")
        if foreign := sorted(got - wanted):
            self._findings.foreign += len(foreign)
            self._note(f"{foreign[:5]} are not in the log")

    def _contents(self, facts: Sequence[Event], expected: Sequence[Row]) -> None:
        rows = {row.seq: row for row in expected}
        for event in facts:
            row = rows.get(event.seq)
            if row is not None and (event.kind, event.run, event.data) != (row.kind, row.run, row.data):
                self._findings.foreign += 1
                self._note(f"{event.seq} is not what the log says")

    def _delta(self, event: Event) -> None:
        key: PartKey = (event.data["message"], event.data["part"])
        offset, text = event.data["offset"], event.data["text"]
        end = offset + len(text)
        spoken = self._truth.spoken.get(key)
        if spoken is None or spoken.known[offset:end] != text:
            self._findings.foreign += 1
            self._note(f"{event.seq}: {text[:40]!r} at {offset} was never said")
            return
        if not spoken.compacted and spoken.length_at(event.seq) != end:
            self._findings.foreign += 1
            self._note(f"{event.seq}: the text ends at {end}, in the log at {spoken.length_at(event.seq)}")
        have = self._length(key, spoken, otherwise=offset)
        if offset > have:
            self._findings.missing += 1
            self._note(f"{event.seq}: the text from {have} to {offset} is missing")
        elif end <= have:
            self._findings.doubled += 1
            self._note(f"{event.seq}: the text from {offset} to {end} came twice")
        self._lengths[key] = max(have, end)

    def _length(self, key: PartKey, spoken: Spoken, *, otherwise: int) -> int:
        """Returns the length of the part that came so far. A reader who began inside it had what lies before its cursor."""
        return self._lengths.get(key, otherwise if spoken.compacted else spoken.length_at(self._start))

    def _whole(self, message: str, seq: int) -> None:
        for key, spoken in self._truth.spoken.items():
            if key[0] == message and not spoken.compacted:
                self._reaches(key, spoken, seq)

    def _texts_to_the_end(self) -> None:
        for key, spoken in self._truth.spoken.items():
            if not spoken.compacted and spoken.ends[0][0] <= self._end and spoken.ends[-1][0] > self._start:
                self._reaches(key, spoken, self._end)

    def _reaches(self, key: PartKey, spoken: Spoken, seq: int) -> None:
        have, due = self._length(key, spoken, otherwise=0), spoken.length_at(seq)
        if have < due:
            self._findings.missing += 1
            self._note(f"at {seq}: of a text of {due} only {have} came")
            self._lengths[key] = due  # noted once

    def _note(self, sentence: str) -> None:
        self._findings.notes.append(f"{self._name}: {sentence}")
