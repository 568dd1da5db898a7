"""Measures what 10,000 Runs cost that wait for people or for a time."""

import json
from pathlib import Path
from statistics import median
from typing import Any, Final

import psutil
import psycopg

import bench.load
from bench.load.processes import people, run_python
from bench.measures.figures import MIB, number
from bench.measures.result import Result
from chatapp.launcher.embedded.addresses import database_url
from sessions_core.protocol.run_states import RunState
from tests.support.machine import Machine

WAITING: Final = "SELECT count(*) FROM run WHERE state = %s"
WARM, REAL, ALL_OF_THEM = 200, 600, 10_000


def waiting(machine: Machine, rounds: int) -> Result:
    """Lets a worker perform Runs until they wait, half of them for people and half for a time, and copies them until there are
    10,000. Then times the three sweeps that each worker makes each second, 20 times a round.
    """
    worker = psutil.Process(machine.pid("worker"))
    _park(machine, WARM)
    warm = worker.memory_info().rss
    _park(machine, REAL)
    each_kib = (worker.memory_info().rss - warm) / 1024 / REAL
    with psycopg.connect(database_url(machine.folder), autocommit=True) as connection:
        connection.execute(Path(bench.load.__file__).with_name("waiting.sql").read_bytes())
        connection.execute("VACUUM ANALYZE")
    assert number(machine, WAITING, RunState.WAITING) == ALL_OF_THEM
    before = worker.memory_info().rss
    found: dict[str, Any] = json.loads(run_python(machine, "bench.load.sweeps", str(20 * rounds)))
    growth_mib = (worker.memory_info().rss - before) / MIB
    slowest = median(map(sum, zip(*found.values(), strict=True)))
    assert number(machine, WAITING, RunState.WAITING) == ALL_OF_THEM
    return Result(
        name="10,000 waiting Runs, half of them for people, half for a time",
        reach="no memory of a worker (≤ 1 KiB each); its sweeps ≤ 10 ms a round",
        reached=each_kib <= 1 and growth_mib <= 1 and slowest <= 10,
        found=f"{each_kib:.2f} KiB of a worker's memory each; {slowest:.1f} ms a round",
        columns=("sweep", "median ms", "slowest ms"),
        rows=[(name, f"{median(took):.2f}", f"{max(took):.2f}") for name, took in found.items()],
    )


def _park(machine: Machine, count: int) -> None:
    """Lets so many more Runs wait."""
    goal = number(machine, WAITING, RunState.WAITING) + count
    for order in ({"ask": True}, {"sleep_s": 86_400}):
        made = people(machine, "open_sessions", count=count // 2, agent="timed")
        people(machine, "post", streams=[one["session"] for one in made], order=order)
    machine.until(lambda: number(machine, WAITING, RunState.WAITING) == goal)
