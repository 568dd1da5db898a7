"""Starts the load generators, which are processes of their own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from bench.systems import HERE, NODE, Ours, environment
from tests.support.machine import Machine


def run_python(machine: Machine, module: str, *arguments: str) -> str:
    """Runs a module and returns what it prints."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, env=environment(machine), check=True, stdout=subprocess.PIPE, text=True).stdout


def people(machine: Machine, act: str, **plan: object) -> Any:  # noqa: ANN401  # what the act has found
    """Lets people act; returns what `bench.load.people` has found."""
    return json.loads(run_python(machine, "bench.load.people", act, json.dumps(plan)))


def publish(machine: Machine, wire: dict[str, Any], count: int, *, every_us: int = 20_000) -> list[tuple[int, ...]]:
    """Publishes to the Sessions of `wire`. Returns (stream, number, time of call, time of commit), in µs."""
    out = machine.folder / "published"
    plan = {**wire, "count": count, "every_us": every_us, "out": str(out)}
    subprocess.run([*Ours(machine).publisher(), json.dumps(plan)], env=environment(machine), check=True)
    return [tuple(map(int, line.split(","))) for line in out.read_text().splitlines()]


@contextmanager
def open_connections(wire: dict[str, Any], clients: int, mode: str) -> Iterator[Any]:
    """Opens Connections with load/herd.mjs, and closes them afterwards. Yields the process, which takes commands on stdin."""
    plan = {**wire, "sessions": wire["streams"], "clients": clients, "mode": mode}
    command = [NODE, str(HERE / "load/herd.mjs"), json.dumps(plan)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        stdout: IO[str] = process.stdout  # type: ignore[assignment]  # it is a pipe
        if stdout.readline().strip() != "ready":
            raise RuntimeError("The connections could not be opened.")
        try:
            yield process
        finally:
            process.kill()
