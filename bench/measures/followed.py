"""Measures one web process that follows 10,000 Sessions, each with presence, while Events are appended."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import quantiles
from typing import IO, Any, Final

from bench.load.processes import run_python
from bench.measures.result import Result, cell
from bench.systems import environment
from tests.support.machine import Machine, free_port

SESSIONS: Final = 10_000
SOCKETS: Final = 50
APPENDS_PER_S: Final = 100
SECONDS: Final = 60.0  # several times the interval at which presence is repeated
BY_TAIL_CHECK_MS: Final = 1_000.0  # an Event that comes later came without its hint


def followed(machine: Machine, rounds: int) -> Result:
    """Measures lost hints, deafness, the longest turn of the loop and the lines of the log, from the arrival of all on."""
    file = str(machine.folder / "followed")
    run_python(machine, "bench.large.many_sessions", str(SESSIONS), file)
    token = machine.manage("issue_token", "bench").stdout.split()[-1]
    found = [_round(machine, file, token) for _ in range(rounds)]
    lost = max(one["appended"] - len(one["late_ms"]) for one in found)
    late = max(sum(late > BY_TAIL_CHECK_MS for late in one["late_ms"]) for one in found)
    deaf, lines = (max(one[name] for one in found) for name in ("deaf", "lines"))
    busy = max(one["busy_ms"] for one in found)
    return Result(
        name=f"Large: {SESSIONS:,} followed Sessions with presence in one web process",
        reach="no Event without its hint, never deaf, no turn of the loop that computes more than 20 ms, one log line for many",
        reached=not lost and not late and not deaf and lines <= 10 and busy <= 20,
        found=f"{lost} lost, {late} without their hint, deaf {deaf} times, longest turn {busy:.0f} ms, {lines} log lines",
        columns=(
            *("Events", "lost", "without their hint", "p99 ms", "deaf", "log lines"),
            *("turn ms, while they arrive", "turn ms, after", "waited ms, after", "CPU s of 60"),
        ),
        rows=[
            (
                cell(found, lambda one: f"{one['appended']}"),
                cell(found, lambda one: f"{one['appended'] - len(one['late_ms'])}"),
                cell(found, lambda one: f"{sum(late > BY_TAIL_CHECK_MS for late in one['late_ms'])}"),
                cell(found, lambda one: f"{quantiles(one['late_ms'] or [0, 0], n=100)[-1]:.0f}"),
                cell(found, lambda one: f"{one['deaf']}"),
                cell(found, lambda one: f"{one['lines']}"),
                cell(found, lambda one: f"{one['arriving_ms']:.0f}"),
                cell(found, lambda one: f"{one['busy_ms']:.0f}"),
                cell(found, lambda one: f"{one['blocked_ms']:.0f}"),
                cell(found, lambda one: f"{one['cpu_s']:.0f}"),
            )
        ],
    )


def _round(machine: Machine, file: str, token: str) -> dict[str, Any]:
    port = str(free_port())
    url = f"ws://127.0.0.1:{port}/ws/"
    with (
        _asked(machine, "bench.large.watched_web", port) as web,
        _asked(machine, "bench.large.followers", url, token, file, str(SOCKETS)) as followers,
    ):
        arriving = _ask(web)
        appended = int(run_python(machine, "bench.large.appends", file, str(APPENDS_PER_S), str(SECONDS)))
        received, after = _ask(followers), _ask(web)
    lines = {sentence: arriving["lines"].get(sentence, 0) + n for sentence, n in after["lines"].items()} | {
        sentence: n for sentence, n in arriving["lines"].items() if sentence not in after["lines"]
    }
    return {
        **received,
        "appended": appended,
        "deaf": sum(n for sentence, n in lines.items() if "deaf" in sentence),
        "lines": sum(lines.values()),
        "sentences": lines,
        "arriving_ms": arriving["busy_ms"],
        **{name: after[name] for name in ("busy_ms", "blocked_ms", "cpu_s")},
    }


@contextmanager
def _asked(machine: Machine, module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Starts a module that prints "ready", and then a line of figures for each line that it gets."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(
        command, env=environment(machine), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert _pipe(process.stdout).readline().strip() == "ready"
            yield process
        finally:
            process.kill()


def _ask(process: subprocess.Popen[str]) -> dict[str, Any]:
    _pipe(process.stdin).write("\n")
    _pipe(process.stdin).flush()
    answer: dict[str, Any] = json.loads(_pipe(process.stdout).readline())
    return answer


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
