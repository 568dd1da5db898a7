"""The tables of the faults, of what each did, and of the promises that were put to the test."""

import os
import platform
from collections import Counter
from pathlib import Path
from typing import Final

import msgspec

from tests.faults.promises import Promise
from tests.faults.rounds import Result, percentile

COLUMNS: Final = (
    "fault",
    "readers",
    "events",
    "missing",
    "doubled",
    "reordered",
    "foreign",
    "promises broken",
    "caught up p50",
    "p99",
    "reads",
    "note",
)
HEAD: Final = f"| {' | '.join(COLUMNS)} |"
LINE: Final = "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --- |"
EXPLAINED: Final = """
Per fault, after healing and quiet: what all readers together missed, got doubled, reordered, or got without it being in the
log (each frame and each applied Event is compared with the dump of the log); how many promises the log itself breaks (P1, P4
to P9); seconds from the end of the fault until a reader had what was in the log then (median and 99th percentile over readers);
and how often the log was read meanwhile, by `pg_stat_statements` (0 where PostgreSQL itself was restarted: it forgets).
Made by `make faults`.
"""
PROMISES: Final = """
## Promises

What all rounds together have put to the test. A write after a fence is looked for in the log, and by a trigger that compares
the process which writes with the worker that holds the Run. Calls of one step are counted by a fake provider, for requests to
models and for steps of agents alike, without those that a kill has cut off.
"""
# What is counted for each promise.
COUNTED: Final = {
    Promise.LOG: "posts",
    Promise.ENDS: "Runs",
    Promise.FENCE: "new attempts and resumptions",
    Promise.CANCEL: "cancelled Runs",
    Promise.ASKS: "asks",
    Promise.STEERS: "steers",
    Promise.QUEUE: "queued messages",
    Promise.STEPS: "steps",
}


class Report(msgspec.Struct):
    results: list[Result] = []

    def table(self) -> str:
        return "\n".join([HEAD, LINE, *(_row(result) for result in self.results)])

    def promises(self) -> str:
        """Returns the table of the promises, and how long it took until another worker had a lost one's Runs."""
        broken = Counter(each.promise for result in self.results for each in result.promises)
        kept = sum((result.kept for result in self.results), Counter[Promise]())
        rows = [f"| {promise} | {broken[promise]} | {kept[promise]} {of} |" for promise, of in COUNTED.items()]
        calls = max((result.calls for result in self.results), default=0)
        takeovers = sorted(seconds for result in self.results for seconds in result.takeovers_s)
        p50, p99 = (percentile(takeovers, percent) for percent in (50, 99))
        took = f"Takeover of {len(takeovers)} Runs whose worker was lost: p50 {p50:.1f} s, p99 {p99:.1f} s."
        table = ["| found | times | of |", "| --- | --: | --- |", *rows]
        return "\n".join([*table, "", f"Calls of one step, at most: {calls}. {took}"])

    def write(self, file: Path, *, lease_s: float) -> None:
        machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
        file.parent.mkdir(exist_ok=True)
        head = f"# Faults\n{EXPLAINED}\nMachine: {machine}. A lease of {lease_s:.0f} s."
        file.write_text(f"{head}\n\n{self.table()}\n{PROMISES}\n{self.promises()}\n")


def _row(result: Result) -> str:
    found = result.findings
    counts = (found.missing, found.doubled, found.reordered, found.foreign, len(result.promises))
    cells = [
        result.fault,
        str(result.readers),
        str(result.events),
        *(str(count) for count in counts),
        f"{result.p50:.2f} s",
        f"{result.p99:.2f} s",
        str(max(0, result.reads)),
        "; ".join(filter(None, (result.note, _takeover(result)))),
    ]
    return f"| {' | '.join(cells)} |"


def _takeover(result: Result) -> str:
    if not result.takeovers_s:
        return ""
    p50, p99 = (percentile(result.takeovers_s, percent) for percent in (50, 99))
    return f"takeover of {len(result.takeovers_s)} Runs p50 {p50:.1f} s, p99 {p99:.1f} s"
