"""What the measures of Runs have in common: figures of a database and of a process, and a table of latencies."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import psutil
import psycopg

from bench.delivery import percentiles
from bench.measures.result import cell
from chatapp.launcher.embedded.addresses import database_url
from tests.support.machine import Machine

MIB = 1024**2


def query(machine: Machine, statement: str, *arguments: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(database_url(machine.folder), autocommit=True) as connection:
        return connection.execute(statement, arguments).fetchall()


def number(machine: Machine, statement: str, *arguments: object) -> float:
    return float(query(machine, statement, *arguments)[0][0])


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


class Peak:
    """The most memory that a process has had, in bytes."""

    def __init__(self, process: psutil.Process) -> None:
        self.rss = process.memory_info().rss


@contextmanager
def watched(process: psutil.Process) -> Iterator[Peak]:
    """Looks at the memory of a process ten times a second, as long as the block lasts."""
    peak, over = Peak(process), Event()

    def watch() -> None:
        while not over.wait(0.1):
            peak.rss = max(peak.rss, process.memory_info().rss)

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def latencies(found: Mapping[str, Sequence[Sequence[float]]]) -> list[tuple[str, ...]]:
    """Returns a row of p50, p99 and the slowest for each name, with a figure a round."""
    return [
        (
            name,
            cell(rounds, lambda each: f"{percentiles(each)[0]:.1f}"),
            cell(rounds, lambda each: f"{percentiles(each)[1]:.1f}"),
            cell(rounds, lambda each: f"{max(each):.1f}"),
        )
        for name, rounds in found.items()
    ]


def all_of(rounds: Sequence[Sequence[float]]) -> list[float]:
    return [value for each in rounds for value in each]


def wait_until_idle(machine: Machine) -> None:
    """Waits until no Run is active."""
    machine.until(lambda: not query(machine, "SELECT 1 FROM run WHERE ended_at IS NULL LIMIT 1"))
    time.sleep(1)
