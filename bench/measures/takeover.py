"""Measures how soon another worker goes on with the Runs of one that was killed."""

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from bench.delivery import percentiles
from bench.load.processes import people
from bench.measures.figures import all_of, latencies, number, query
from bench.measures.result import Result, cell
from bench.systems import started
from sessions_core.protocol.run_states import RunState
from tests.support.machine import Machine

RUNS: Final = 20
WORDS: Final = 200
LEASE_S: Final = 6  # the default of the setting
_RESTARTED: Final = """
    SELECT extract(epoch FROM at) FROM event WHERE kind = 'run.restarted' AND session_id = ANY(%s::uuid[])
"""
_HELD: Final = "SELECT worker FROM run WHERE state = %s AND session_id = ANY(%s::uuid[])"
_ENDED: Final = "SELECT count(ended_at) FROM run WHERE session_id = ANY(%s::uuid[])"
_WHOLE: Final = """
    SELECT count(*) FROM event WHERE kind = 'message.completed' AND session_id = ANY(%s::uuid[])
    AND data->>'state' = 'complete' AND array_length(string_to_array(trim(data->'parts'->0->>'text'), ' '), 1) = %s
"""


def takeover(machine: Machine, rounds: int) -> Result:
    """Kills one of two workers with SIGKILL while 20 Runs stream, and measures when others go on with those that it had."""
    took: list[list[float]] = []
    whole = []
    with machine.without("worker"), ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(_worker(machine))
        for _ in range(rounds):
            found, are_whole = _round(machine, stack)
            took.append(found)
            whole.append(are_whole)
    p50, p99 = percentiles(all_of(took))
    return Result(
        name="Takeover of a Run whose worker was killed with SIGKILL",
        reach=f"≤ lease + 2 s ({LEASE_S + 2} s); every answer whole",
        reached=max(all_of(took)) <= (LEASE_S + 2) * 1000 and all(whole),
        found=f"p50 {p50 / 1000:.1f} s, p99 {p99 / 1000:.1f} s, slowest {max(all_of(took)) / 1000:.1f} s",
        columns=("", "p50 ms", "p99 ms", "slowest ms", "Runs taken over"),
        rows=[(*latencies({"takeover": took})[0], cell(took, lambda each: f"{len(each)}"))],
    )


def _round(machine: Machine, stack: ExitStack) -> tuple[list[float], bool]:
    """Returns how many ms after the kill each Run began again, and whether all of them said all their words."""
    made = people(machine, "open_sessions", count=RUNS, agent="timed")
    streams = [one["session"] for one in made]
    people(machine, "post", streams=streams, order={"words": WORDS, "every_us": 50_000})
    machine.until(lambda: len(_holders(machine, streams)) == RUNS)
    time.sleep(2)
    (victim, held), *_ = Counter(_holders(machine, streams)).most_common()
    killed = time.time()
    os.kill(victim, signal.SIGKILL)
    stack.enter_context(_worker(machine))  # for the next round; it may take over Runs, too
    machine.until(lambda: number(machine, _ENDED, streams) == RUNS)
    restarted = [(float(at) - killed) * 1000 for (at,) in query(machine, _RESTARTED, streams)]
    assert len(restarted) == held, f"{held} Runs were held, {len(restarted)} began again"
    return restarted, number(machine, _WHOLE, streams, WORDS) == RUNS


def _holders(machine: Machine, streams: list[str]) -> list[int]:
    """Returns the id of the process that holds each of the Runs."""
    held = query(machine, _HELD, RunState.RUNNING, streams)
    return [int(worker.split(":")[1]) for (worker,) in held]


@contextmanager
def _worker(machine: Machine) -> Iterator[None]:
    """Runs another worker, from when the database knows it until the block ends, if it is not killed before."""
    options = ("--pool", "threads", "--without-gossip", "--without-mingle", "--without-heartbeat")
    with started(machine, sys.executable, "-m", "celery", "--quiet", "-A", "chatapp", "worker", *options) as process:
        machine.until(lambda: query(machine, "SELECT 1 FROM worker WHERE name LIKE %s", f"%:{process.pid}:%"))
        yield
