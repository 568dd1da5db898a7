"""Measures appends to the log and reads of it."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from typing import Any

from bench import pgbench
from bench.load.processes import open_connections, publish, run_python
from bench.measures.result import Result, cell
from bench.systems import Ours
from tests.support.machine import Machine


def appends(machine: Machine, rounds: int) -> Result:
    """Measures 32 writers of one worker process, and pgbench with the same statement on the same server."""
    ours: dict[int, list[float]] = {1: [], 20: []}
    bench: dict[int, list[float]] = {1: [], 20: []}
    for _ in range(rounds):
        for batch in (1, 20):
            claims = Ours(machine).open(32)["claims"]
            plan = json.dumps({"claims": claims, "batch": batch, "seconds": 5})
            done = run_python(machine, "bench.load.writers", plan)
            ours[batch].append(float(done))
            bench[batch].append(pgbench.events_per_s(machine, Ours(machine).open(32)["claims"], batch))
    single, many = (median(ours[n]) for n in (1, 20))
    share = single / median(bench[1])
    return Result(
        name="Appends, 32 writers",
        reach="≥ 70 % of pgbench with the same statement; ≥ 50,000 events/s in batches of 20",
        reached=share >= 0.7 and many >= 50_000,
        found=f"{share:.0%} of pgbench (single events); {many:,.0f} events/s in batches",
        columns=("writers", "single events/s", "events/s in batches of 20"),
        rows=[
            (name, *(cell(measured[n], lambda value: f"{value:,.0f}") for n in (1, 20)))
            for name, measured in (("ours, one process", ours), ("pgbench, 32 clients", bench))
        ],
    )


def cold_open(machine: Machine, rounds: int) -> Result:
    """Measures how long the newest 50 Messages take of a Session with 100, and of one with 10,000."""
    sessions = json.loads(run_python(machine, "bench.load.long_sessions", "100", "10000"))
    token = machine.manage("issue_token", "bench").stdout.split()[-1]
    took: dict[str, list[float]] = {"100": [], "10000": []}
    size: dict[str, int] = {}
    for _ in range(20 * rounds):
        for messages, session in sessions.items():
            seconds, body = _get(machine, f"/api/sessions/{session}/events?last=50", token)
            took[messages].append(seconds * 1000)
            size[messages] = len(body)
    time, volume = median(took["10000"]) / median(took["100"]), size["10000"] / size["100"]
    return Result(
        name="Cold open of a Session with 10,000 Messages and with 100",
        reach="≤ 1.3× in time and bytes",
        reached=time <= 1.3 and volume <= 1.3,
        found=f"{time:.2f}× in time, {volume:.2f}× in bytes",
        columns=("Messages", "ms", "bytes"),
        rows=[(n, f"{median(took[n]):.1f}", f"{size[n]:,}") for n in took],
    )


def delta_cost(machine: Machine, rounds: int) -> Result:
    """Measures what one more delta of a long Message costs: CPU of the web process, and time of the append."""
    cpu_us: dict[str, list[float]] = {"100": [], "10,000": []}
    took_ms: dict[str, list[float]] = {"100": [], "10,000": []}
    with _deltas(machine, 9_900) as long:
        for _ in range(rounds):
            with _deltas(machine, 100) as short:
                for before, wire in (("100", short), ("10,000", long), ("10,000", long), ("100", short)):
                    cpu_us[before].append(_cpu_us(machine, wire))
                for before, took in zip(took_ms, _took_ms(machine, short, long), strict=True):
                    took_ms[before].append(took)
    cpu, took = (median(measured["10,000"]) / median(measured["100"]) for measured in (cpu_us, took_ms))
    return Result(
        name="Server cost of a delta at the 10,000th of a Message, against the 100th",
        reach="≤ 1.1×",
        reached=cpu <= 1.1 and took <= 1.1,
        found=f"{cpu:.2f}× web CPU, {took:.2f}× append time",
        columns=("deltas before", "web CPU µs a delta", "append p50 ms"),
        rows=[
            (n, cell(cpu_us[n], lambda value: f"{value:.0f}"), cell(took_ms[n], lambda value: f"{value:.2f}"))
            for n in cpu_us
        ],
    )


def _get(machine: Machine, path: str, token: str) -> tuple[float, bytes]:
    request = urllib.request.Request(f"{machine.url}{path}", headers={"Authorization": f"Bearer {token}"})
    began = perf_counter()
    with urllib.request.urlopen(request) as answer:
        body: bytes = answer.read()
    return perf_counter() - began, body


@contextmanager
def _deltas(machine: Machine, count: int) -> Iterator[dict[str, Any]]:
    """Makes a Session that 20 clients follow, with a Message of `count` deltas."""
    wire = Ours(machine).open(1)
    with open_connections(wire, 20, "idle"):
        publish(machine, wire, count, every_us=0)
        yield wire


def _cpu_us(machine: Machine, wire: dict[str, Any]) -> float:
    """Returns the CPU that the web process needs for a delta: the mean of 500 more."""
    before = Ours(machine).server.cpu_times()
    publish(machine, wire, 500, every_us=4_000)
    after = Ours(machine).server.cpu_times()
    return (after.user + after.system - before.user - before.system) / 500 * 1e6


def _took_ms(machine: Machine, *wires: dict[str, Any]) -> list[float]:
    """Returns the median time of an append to each, by turns."""
    both = {name: [each for wire in wires for each in wire[name]] for name in ("streams", "claims")}
    rows = publish(machine, {**wires[0], **both}, 500, every_us=8_000)
    return [
        median((committed - called) / 1000 for stream, _, called, committed in rows if stream == n)
        for n in range(len(wires))
    ]
