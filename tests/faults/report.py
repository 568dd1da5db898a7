"""The table of the faults and of what each did."""

import os
import platform
from pathlib import Path
from typing import Final

import msgspec

from tests.faults.rounds import Result

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
to P8); seconds from the end of the fault until a reader had what was in the log then (median and 99th percentile over readers);
and how often the log was read meanwhile, by `pg_stat_statements` (0 where PostgreSQL itself was restarted: it forgets).
Made by `make faults`.
"""


class Report(msgspec.Struct):
    results: list[Result] = []

    def table(self) -> str:
        return "\n".join([HEAD, LINE, *(_row(result) for result in self.results)])

    def write(self, file: Path) -> None:
        machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"# Faults\n{EXPLAINED}\nMachine: {machine}.\n\n{self.table()}\n")


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
        result.note,
    ]
    return f"| {' | '.join(cells)} |"
