"""Measures many Connections at once."""

import json
import time
from statistics import median
from typing import Final

import psutil
import psycopg

from bench.delivery import percentiles
from bench.load.processes import open_connections, publish
from bench.measures.result import Result, cell
from bench.systems import Ours
from chatapp.launcher.embedded.addresses import database_url
from chatapp.launcher.supervisor.supervisor import HEALTHY_AFTER_S
from tests.support.machine import Machine

KIB: Final = 1024


def herd(machine: Machine, rounds: int) -> Result:
    """Cuts 1,000 clients on 20 Sessions at once while answers go on, and measures how long they take to resume."""
    p99s, reads = [], []
    for _ in range(rounds):
        wire = Ours(machine).open(20)
        with open_connections(wire, 1000, "herd") as process:
            publish(machine, wire, 50)
            before = _log_reads(machine)
            process.stdin.write("cut\n")
            process.stdin.flush()
            publish(machine, wire, 50)
            p99s.append(percentiles(json.loads(process.stdout.readline()))[1] / 1000)
            reads.append(_log_reads(machine) - before)
    return Result(
        name="1,000 clients cut and back, 20 Sessions",
        reach="p99 caught up ≤ 5 s; log reads O(Sessions), not O(clients)",
        reached=median(p99s) <= 5 and median(reads) <= 200,
        found=f"p99 {median(p99s):.1f} s; {median(reads):.0f} reads of the log",
        columns=("p99 caught up, s", "reads of the log"),
        rows=[(cell(p99s, lambda value: f"{value:.1f}"), cell(reads, str))],
    )


def memory(machine: Machine, rounds: int) -> Result:
    """Measures the web process's memory with 1,000 idle Connections, and with 40 that follow a busy Session and never read."""
    idle, stalled = [], []
    for _ in range(rounds):
        idle.append(_growth(machine, 1000, "idle", 0) / KIB)
        stalled.append(_growth(machine, 40, "stalled", 4_000) / KIB)
    limit = 512 + 300
    return Result(
        name="Memory of an idle and of a stalled Connection",
        reach="≤ 60 KiB; ≤ send buffer limit (512 KiB) + 300 KiB",
        reached=median(idle) <= 60 and median(stalled) <= limit,
        found=f"{median(idle):.0f} KiB; {median(stalled):.0f} KiB",
        columns=("idle KiB", "stalled KiB"),
        rows=[(cell(idle, lambda value: f"{value:.0f}"), cell(stalled, lambda value: f"{value:.0f}"))],
    )


def _log_reads(machine: Machine) -> int:
    """Returns the number of index scans on the table of Events so far: one for each read of a log."""
    with psycopg.connect(database_url(machine.folder)) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        row = connection.execute("SELECT idx_scan FROM pg_stat_user_tables WHERE relname = 'event'").fetchone()
    return int(row[0]) if row else 0


def _growth(machine: Machine, clients: int, mode: str, events: int) -> float:
    """Returns the bytes that each Connection adds to a new web process."""
    # `up` gives up a process that dies again and again, unless it has lived a while.
    machine.until(lambda: time.time() - psutil.Process(machine.pid("web")).create_time() > HEALTHY_AFTER_S)
    machine.kill("web")
    machine.until(machine.is_ready)
    wire = Ours(machine).open(1)
    server = Ours(machine).server
    with open_connections(wire, 50, "idle"):  # so that what a process allocates once is not counted
        pass
    before = server.memory_info().rss
    with open_connections(wire, clients, mode):
        if events:
            publish(machine, {**wire, "kind": "progress"}, events, every_us=0)
        return float(server.memory_info().rss - before) / clients
