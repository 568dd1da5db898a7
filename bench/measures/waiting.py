"""Measures what 10,000 Runs cost that wait for people or for a time."""

import json
import time
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
from chatapp.launcher.supervisor.supervisor import HEALTHY_AFTER_S
from sessions_core.protocol.run_states import RunState
from tests.support.machine import Machine

WAITING: Final = "SELECT count(*) FROM run WHERE state = %s"
REAL, ALL_OF_THEM = 20, 10_000
SETTLED_S: Final = 15  # of a worker's life: several of each of its sweeps


def waiting(machine: Machine, rounds: int) -> Result:
    """Lets a worker perform Runs until they wait, half of them for people and half for a time, and copies them until there are
    10,000. Compares the memory of a worker that starts beside 20 and beside 10,000, and times the three sweeps that each worker
    makes each second, 20 times a round.
    """
    _park(machine, REAL)
    few = _memory(machine)
    with psycopg.connect(database_url(machine.folder), autocommit=True) as connection:
        connection.execute(Path(bench.load.__file__).with_name("waiting.sql").read_bytes())
        connection.execute("VACUUM ANALYZE")
    growth_mib = (_memory(machine) - few) / MIB
    found: dict[str, Any] = json.loads(run_python(machine, "bench.load.sweeps", str(20 * rounds)))
    slowest = median(map(sum, zip(*found.values(), strict=True)))
    assert number(machine, WAITING, RunState.WAITING) == ALL_OF_THEM
    return Result(
        name="10,000 waiting Runs, half of them for people, half for a time",
        reach="no memory of a worker (≤ 2 MiB for all); its sweeps ≤ 10 ms a round",
        reached=growth_mib <= 2 and slowest <= 10,
        found=f"{growth_mib:+.1f} MiB for all; {slowest:.1f} ms a round",
        columns=("sweep", "median ms", "slowest ms"),
        rows=[(name, f"{median(took):.2f}", f"{max(took):.2f}") for name, took in found.items()],
    )


def _memory(machine: Machine) -> float:
    """Returns the memory of a new worker, in bytes, after some rounds of its sweeps."""
    # `up` gives up a process that dies again and again, unless it has lived a while.
    machine.until(lambda: _age_s(machine) > HEALTHY_AFTER_S)
    machine.kill("worker")
    machine.until(lambda: _age_s(machine) > SETTLED_S)
    return float(psutil.Process(machine.pid("worker")).memory_info().rss)


def _age_s(machine: Machine) -> float:
    return time.time() - psutil.Process(machine.pid("worker")).create_time()


def _park(machine: Machine, count: int) -> None:
    """Lets so many more Runs wait."""
    goal = number(machine, WAITING, RunState.WAITING) + count
    for order in ({"ask": True}, {"sleep_s": 86_400}):
        made = people(machine, "open_sessions", count=count // 2, agent="timed")
        people(machine, "post", streams=[one["session"] for one in made], order=order)
    machine.until(lambda: number(machine, WAITING, RunState.WAITING) == goal)
