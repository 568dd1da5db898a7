"""Measures a large database: what an act costs beside a million Events, in time, memory and plans."""

import json
from pathlib import Path
from statistics import median
from typing import Any, Final

import psycopg

import bench.large
from bench.load.processes import run_python
from bench.measures.result import Result
from chatapp.launcher.embedded.addresses import database_url
from tests.support.machine import Machine

REACH_MS: Final = 20


def large(machine: Machine, rounds: int) -> Result:
    """Fills the database, and times what people and workers do in it, each 20 times a round. No worker runs beside it."""
    with machine.without("worker"):
        fill(database_url(machine.folder))
        found: dict[str, Any] = json.loads(run_python(machine, "bench.large.acts", str(20 * rounds)))
    acts, deletion = found["acts"], found["delete"]
    slowest = max(median(act["ms"]) for act in acts.values())
    pieces = deletion["pieces"]
    return Result(
        name="Beside 1.3 million Events, 150,000 Runs, 200,001 Sessions; one Session has 100,000 Messages",
        reach=f"each act ≤ {REACH_MS} ms (median); a deletion is answered as soon",
        reached=slowest <= REACH_MS and deletion["waited"] <= REACH_MS,
        found=f"slowest {slowest:.1f} ms; deletion answered in {deletion['waited']:.1f} ms",
        columns=("act", "median ms", "slowest ms", "memory MiB", "found by"),
        rows=[
            *(
                (
                    name,
                    f"{median(act['ms']):.1f}",
                    f"{max(act['ms']):.1f}",
                    f"{act['kib'] / 1024:.1f}",
                    ", ".join(act["indexes"]),
                )
                for name, act in acts.items()
            ),
            ("deletion of the Session, answered", f"{deletion['waited']:.1f}", "", "", ""),
            (f"its removal, {len(pieces):,} pieces", f"{median(pieces):.1f}", f"{max(pieces):.1f}", "", ""),
        ],
    )


def fill(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(Path(bench.large.__file__).with_name("fill.sql").read_bytes())
        connection.execute("VACUUM ANALYZE")
