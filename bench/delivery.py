"""One round: readers and a publisher beside a system; every delivery is checked, then timed."""

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

PATIENCE_S: Final = 60.0


class Round(Struct, frozen=True):
    """What one round measured. Times in milliseconds; `begun` counts from the publisher's call, `taken` from the commit."""

    system: str
    deliveries: int
    missing: int
    doubled: int
    reordered: int
    taken: tuple[float, float]  # p50, p99
    begun: tuple[float, float]
    per_s: float
    frames: int
    server_cpu_s: float
    readers_cpu_s: float

    @property
    def per_cpu_s(self) -> float:
        """Deliveries for each second that the server computed."""
        return self.deliveries / self.server_cpu_s if self.server_cpu_s else 0.0


def deliver(machine: Machine, system: System, *, streams: int, each: int, count: int, every_us: int) -> Round:
    """Publishes `count` numbers to each of `streams` streams, one every `every_us` (0: as fast as they are taken), and has
    `each` readers follow each stream.
    """
    wire = system.open(streams)
    with tempfile.TemporaryDirectory() as folder:
        published, delivered = Path(folder) / "published", Path(folder) / "delivered"
        plan = {**wire, "each": each, "expect": count, "count": count, "every_us": every_us}
        with _Readers({**plan, "out": str(delivered)}) as readers:
            before = _cpu_s(system)
            command = [*system.publisher(), json.dumps({**plan, "out": str(published)})]
            subprocess.run(command, env=environment(machine), check=True, timeout=PATIENCE_S)
            readers.wait_for_all()
            server_cpu_s = _cpu_s(system) - before
            report = readers.end()
        begun_taken, seen = _rows(published), _rows(delivered)
    checked = _checked(seen, readers=streams * each, count=count)
    return _timed(system.name, begun_taken, seen, checked, report, server_cpu_s=server_cpu_s)


class _Readers:
    def __init__(self, plan: dict[str, Any]) -> None:
        command = [NODE, str(HERE / "load/readers.mjs"), json.dumps(plan)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        self._expect("ready")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def wait_for_all(self) -> None:
        """Until all was delivered, or nothing more can be hoped for."""
        timer = threading.Timer(PATIENCE_S, self._process.kill)
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
            raise RuntimeError(f"The readers said {line!r} instead of {word!r}.")

    def _line(self) -> str:
        stdout: IO[str] = self._process.stdout  # type: ignore[assignment]  # it is a pipe
        return stdout.readline()


def _checked(delivered: Sequence[tuple[int, ...]], *, readers: int, count: int) -> tuple[int, int, int]:
    """How much was missing, came twice, came out of order."""
    seen: dict[int, list[int]] = {reader: [] for reader in range(readers)}
    for reader, _, n, _ in delivered:
        seen[reader].append(n)
    distinct = sum(len(set(numbers)) for numbers in seen.values())
    reordered = sum(numbers != sorted(numbers) for numbers in seen.values())
    return readers * count - distinct, len(delivered) - distinct, reordered


def _timed(
    system: str,
    published: Sequence[tuple[int, ...]],
    delivered: Sequence[tuple[int, ...]],
    checked: tuple[int, int, int],
    report: dict[str, float],
    *,
    server_cpu_s: float,
) -> Round:
    begun = {(stream, n): at for stream, n, at, _ in published}
    taken = {(stream, n): at for stream, n, _, at in published}
    seconds = (max(row[3] for row in delivered) - min(begun.values())) / 1e6
    missing, doubled, reordered = checked
    return Round(
        system=system,
        deliveries=len(delivered),
        missing=missing,
        doubled=doubled,
        reordered=reordered,
        taken=percentiles([(at - taken[stream, n]) / 1000 for _, stream, n, at in delivered]),
        begun=percentiles([(at - begun[stream, n]) / 1000 for _, stream, n, at in delivered]),
        per_s=len(delivered) / seconds,
        frames=int(report["frames"]),
        server_cpu_s=server_cpu_s,
        readers_cpu_s=report["cpu_s"],
    )


def percentiles(values: Sequence[float]) -> tuple[float, float]:
    """p50 and p99."""
    ordered = sorted(values)
    return median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def _cpu_s(system: System) -> float:
    times = system.server.cpu_times()
    return float(times.user + times.system)


def _rows(file: Path) -> list[tuple[int, ...]]:
    return [tuple(map(int, line.split(","))) for line in file.read_text().splitlines()]
