"""Measures many Runs that stream at once in one worker process, and what a delta costs it."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from msgspec import Struct

from bench import systems
from bench.delivery import Readers, faults, percentiles, rows
from bench.load.processes import people
from bench.measures.figures import MIB, cpu_s, number, wait_until_idle, watched
from bench.measures.result import Result, cell
from bench.provider import provider
from bench.systems import Ours
from tests.support.machine import Machine

EVERY_MS = 100
WORDS = 200  # 20 s
TIMEOUT_S = 180  # for what cannot keep up
SCRIPTED, MODELS = 300, 100
LONG = 10_000  # words of one Message
WORDS_PER_S = 250
WRITERS = 8
PART = 1_000  # words of each writer whose cost is compared
HEADS = "SELECT sum(head) FROM session WHERE id = ANY(%s::uuid[])"


class Streamed(Struct, frozen=True):
    """What one round has found. `late_ms`: p50 and p99, from when a delta was due until it was at the client. The worker's memory
    is that of one Run, in MiB; its CPU that of the whole round, in ms for each delta.
    """

    late_ms: tuple[float, float]
    faults: tuple[int, int, int]
    memory: float
    cpu_ms: float


def streaming(machine: Machine, rounds: int) -> Result:
    """Lets 300 scripted Runs stream, and as many plain Celery tasks."""
    found: dict[str, list[Streamed]] = {"ours": [], "plain Celery": []}
    with systems.plain_celery(machine) as peer:
        for n in range(rounds):
            if not n:  # what a process allocates once is not a Run's
                _timed(machine, 20, words=10)
                _plain(machine, peer, 20, words=10)
            found["ours"].append(_timed(machine, SCRIPTED, words=WORDS))
            found["plain Celery"].append(_plain(machine, peer, SCRIPTED, words=WORDS))
    return _result(f"{SCRIPTED} scripted Runs stream at once in one worker process", found)


def streaming_model(machine: Machine, rounds: int) -> Result:
    """Lets 100 Runs stream what a provider says."""
    found: dict[str, list[Streamed]] = {"ours": []}
    with provider(machine):
        _asked(machine, 20, words=10)
        for _ in range(rounds):
            found["ours"].append(_asked(machine, MODELS, words=WORDS))
    return _result(f"{MODELS} Runs stream at once through the model client in one worker process", found)


def _result(name: str, found: dict[str, list[Streamed]]) -> Result:
    p99, memory = (
        median(values) for values in zip(*((each.late_ms[1], each.memory) for each in found["ours"]), strict=True)
    )
    is_whole = not any(any(each.faults) for each in found["ours"])
    return Result(
        name=f"{name}, 10 deltas/s each",
        reach="all delivered; p99 ≤ 250 ms late at the client; ≤ 1 MB each",
        reached=is_whole and p99 <= 250 and memory <= 1,
        found=f"p99 {p99:.0f} ms late; {memory:.2f} MiB each",
        columns=(
            "system",
            "p50 ms late",
            "p99 ms late",
            "missing / doubled / reordered",
            "MiB a Run",
            "worker CPU ms a delta",
        ),
        rows=[
            (
                name,
                cell(measured, lambda each: f"{each.late_ms[0]:.1f}"),
                cell(measured, lambda each: f"{each.late_ms[1]:.1f}"),
                cell(measured, lambda each: f"{each.faults[0]} / {each.faults[1]} / {each.faults[2]}"),
                cell(measured, lambda each: f"{each.memory:.2f}"),
                cell(measured, lambda each: f"{each.cpu_ms:.3f}"),
            )
            for name, measured in found.items()
        ],
    )


def _timed(machine: Machine, runs: int, *, words: int) -> Streamed:
    return _streamed(machine, runs, words, agent="timed", order={"words": words, "every_us": EVERY_MS * 1000})


def _asked(machine: Machine, runs: int, *, words: int) -> Streamed:
    return _streamed(
        machine, runs, words, agent="assistant", order={"words": words, "every_ms": EVERY_MS, "clock": True}
    )


def _streamed(machine: Machine, runs: int, words: int, *, agent: str, order: dict[str, object]) -> Streamed:
    worker = psutil.Process(machine.pid("worker"))
    wire = Ours(machine).wire(people(machine, "open_sessions", count=runs, agent=agent))
    streamed = _followed(worker, wire, words, lambda: people(machine, "post", streams=wire["streams"], order=order))
    wait_until_idle(machine)
    return streamed


def _plain(machine: Machine, peer: systems.PlainCelery, tasks: int, *, words: int) -> Streamed:
    wire = peer.open(tasks)
    plan = {"words": words, "every_us": EVERY_MS * 1000, "pad": wire["pad"]}
    return _followed(peer.worker, wire, words, lambda: peer.start(machine, wire["streams"], plan))


def _followed(worker: psutil.Process, wire: dict[str, Any], words: int, start: Callable[[], object]) -> Streamed:
    """Follows the streams, starts what writes them, and waits until each has said all its words: the times when they were due."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "delivered"
        with Readers({**wire, "each": 1, "expect": words, "out": str(out)}) as readers, watched(worker) as peak:
            rss, cpu = peak.rss, cpu_s(worker)
            start()
            readers.wait_for_all(timeout_s=TIMEOUT_S)
            spent = cpu_s(worker) - cpu
            readers.end()
        received = rows(out)
    streams = len(wire["streams"])
    return Streamed(
        late_ms=percentiles([(at - due) / 1000 for _, _, due, at in received]),
        faults=faults(received, readers=streams, count=words),
        memory=(peak.rss - rss) / MIB / streams,
        cpu_ms=spent * 1000 / len(received),
    )


def delta_worker(machine: Machine, rounds: int) -> Result:
    """Measures the worker's CPU for a delta: of 100 Runs with 10 a second each, and along Messages of 10,000 words. Each word is
    written at once (DELTA_MS=0).
    """
    paced, early, late = [], [], []
    for _ in range(rounds):
        paced.append(_cost_paced(machine))
        first, last = _cost_along(machine)
        early.append(first)
        late.append(last)
    cost, flat = median(paced), median(late) / median(early)
    return Result(
        name="CPU of the worker for one scripted delta",
        reach="≤ 0.25 ms; ≤ 1.1× at the 10,000th word of a Message",
        reached=cost <= 0.25 and flat <= 1.1,
        found=f"{cost:.3f} ms; {flat:.2f}×",
        columns=("deltas", "ms each"),
        rows=[
            ("of 100 Runs, 10 a second each", cell(paced, lambda value: f"{value:.3f}")),
            (f"of {WRITERS} Runs, the 500th to 1,500th word", cell(early, lambda value: f"{value:.3f}")),
            ("the same, the 8,500th to 9,500th word", cell(late, lambda value: f"{value:.3f}")),
        ],
    )


def _cost_paced(machine: Machine) -> float:
    """Returns the ms of CPU for a delta of many Runs, once all of them have begun."""
    streams = _start(machine, 100, words=150, every_us=EVERY_MS * 1000)
    _wait_for(machine, streams, 30)
    cost = _cost(machine, streams, lambda: time.sleep(8))
    wait_until_idle(machine)
    return cost


def _cost_along(machine: Machine) -> tuple[float, float]:
    """Returns the ms of CPU for a word early in long Messages, and late in them. Words are due by the clock; those that come
    while a write is under way become one delta, so the words are counted.
    """
    _start(machine, WRITERS, words=LONG, every_us=1_000_000 // WORDS_PER_S)
    worker = psutil.Process(machine.pid("worker"))
    began, costs = time.monotonic(), []
    for start in (500, LONG - 500 - PART):
        time.sleep(max(0, began + start / WORDS_PER_S - time.monotonic()))
        cpu = cpu_s(worker)
        time.sleep(PART / WORDS_PER_S)
        costs.append((cpu_s(worker) - cpu) * 1000 / (WRITERS * PART))
    wait_until_idle(machine)
    return costs[0], costs[1]


def _start(machine: Machine, runs: int, *, words: int, every_us: int) -> list[str]:
    streams = [one["session"] for one in people(machine, "open_sessions", count=runs, agent="timed")]
    people(machine, "post", streams=streams, order={"words": words, "every_us": every_us})
    return streams


def _wait_for(machine: Machine, streams: list[str], deltas: int) -> None:
    """Waits until each Message has so many deltas, on average."""
    while number(machine, HEADS, streams) < deltas * len(streams):
        time.sleep(0.1)


def _cost(machine: Machine, streams: list[str], during: Callable[[], None]) -> float:
    worker = psutil.Process(machine.pid("worker"))
    head, cpu = number(machine, HEADS, streams), cpu_s(worker)
    during()
    return (cpu_s(worker) - cpu) * 1000 / (number(machine, HEADS, streams) - head)
