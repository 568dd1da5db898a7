"""One round: a publisher and readers of one system. Every delivery is checked for loss, doubles and order, then timed."""

import json
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import IO, Any, Final, Self

from msgspec import Struct

from bench.systems import HERE, NODE, System, environment
from tests.support.machine import Machine

TIMEOUT_S: Final = 60.0


class Round(Struct, frozen=True):
    """The figures of one round. Latencies are p50 and p99 in milliseconds, until the frame is at the client."""

    system: str
    deliveries: int
    missing: int
    doubled: int
    reordered: int
    since_commit: tuple[float, float]
    since_call: tuple[float, float]  # of the publisher
    per_s: float
    frames: int
    server_cpu_s: float
    readers_cpu_s: float

    @property
    def per_cpu_s(self) -> float:
        """Deliveries for each second of the server's CPU."""
        return self.deliveries / self.server_cpu_s if self.server_cpu_s else 0.0


def deliver(machine: Machine, system: System, *, streams: int, each: int, count: int, every_us: int) -> Round:
    """Publishes `count` numbers to each of `streams` streams, one every `every_us` (0: as fast as they are taken), and lets
    `each` readers follow each stream.
    """
    wire = system.open(streams)
    with tempfile.TemporaryDirectory() as folder:
        published, delivered = Path(folder) / "published", Path(folder) / "delivered"
        plan = {**wire, "each": each, "expect": count, "count": count, "every_us": every_us}
        with Readers({**plan, "out": str(delivered)}) as readers:
            before = _cpu_s(system)
            command = [*system.publisher(), json.dumps({**plan, "out": str(published)})]
            subprocess.run(command, env=environment(machine), check=True, timeout=TIMEOUT_S)
            readers.wait_for_all()
            server_cpu_s = _cpu_s(system) - before
            report = readers.end()
        sent, received = rows(published), rows(delivered)
    found = faults(received, readers=streams * each, count=count)
    return _figures(system.name, sent, received, found, report, server_cpu_s=server_cpu_s)


class Readers:
    """The process of the readers, `load/readers.mjs`, which has opened all of them."""

    def __init__(self, plan: dict[str, Any]) -> None:
        command = [NODE, str(HERE / "load/readers.mjs"), json.dumps(plan)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        self._expect("ready")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def wait_for_all(self, *, timeout_s: float = TIMEOUT_S) -> None:
        """Waits until all was delivered. After `timeout_s` it kills the readers."""
        timer = threading.Timer(timeout_s, self._process.kill)
        timer.start()
        self._expect("all")
        timer.cancel()

    def end(self) -> dict[str, float]:
        stdin: IO[str] = self._process.stdin  # type: ignore[assignment]  # it is a pipe
        stdin.write("end\n")
        stdin.flush()
        report: dict[str, float] = json.loads(self._line())
        self._process.wait()
        return report

    def _expect(self, word: str) -> None:
        line = self._line()
        if line.strip() != word:
            raise RuntimeError(f"Expected {word!r} from the readers, got {line!r}.")

    def _line(self) -> str:
        stdout: IO[str] = self._process.stdout  # type: ignore[assignment]  # it is a pipe
        return stdout.readline()


def faults(received: Sequence[tuple[int, ...]], *, readers: int, count: int) -> tuple[int, int, int]:
    """Returns how many deliveries are missing and how many are doubled, and how many readers got theirs out of order."""
    seen: dict[int, list[int]] = {reader: [] for reader in range(readers)}
    for reader, _, n, _ in received:
        seen[reader].append(n)
    distinct = sum(len(set(numbers)) for numbers in seen.values())
    reordered = sum(numbers != sorted(numbers) for numbers in seen.values())
    return readers * count - distinct, len(received) - distinct, reordered


def _figures(
    system: str,
    sent: Sequence[tuple[int, ...]],
    received: Sequence[tuple[int, ...]],
    faults: tuple[int, int, int],
    report: dict[str, float],
    *,
    server_cpu_s: float,
) -> Round:
    called = {(stream, n): at for stream, n, at, _ in sent}
    committed = {(stream, n): at for stream, n, _, at in sent}
    seconds = (max(row[3] for row in received) - min(called.values())) / 1e6
    missing, doubled, reordered = faults
    return Round(
        system=system,
        deliveries=len(received),
        missing=missing,
        doubled=doubled,
        reordered=reordered,
        since_commit=percentiles([(at - committed[stream, n]) / 1000 for _, stream, n, at in received]),
        since_call=percentiles([(at - called[stream, n]) / 1000 for _, stream, n, at in received]),
        per_s=len(received) / seconds,
        frames=int(report["frames"]),
        server_cpu_s=server_cpu_s,
        readers_cpu_s=report["cpu_s"],
    )


def percentiles(values: Sequence[float]) -> tuple[float, float]:
    """Returns p50 and p99."""
    ordered = sorted(values)
    return median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def _cpu_s(system: System) -> float:
    times = system.server.cpu_times()
    return float(times.user + times.system)


def rows(file: Path) -> list[tuple[int, ...]]:
    return [tuple(map(int, line.split(","))) for line in file.read_text().splitlines()]
