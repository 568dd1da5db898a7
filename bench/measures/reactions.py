"""Measures how soon Runs react: to posts, answers and Stop."""

import json

from bench import systems
from bench.delivery import percentiles
from bench.load.processes import people, run_python
from bench.measures.figures import all_of, latencies
from bench.measures.result import Result
from bench.provider import MODEL_URL, provider
from bench.systems import Ours, dbos
from tests.support.machine import Machine

TIMES = 50  # in one round; those of what is lost take seconds each
TIMES_LOST = 10
COLUMNS = ("p50 ms", "p99 ms", "slowest ms")


def stop_connection(machine: Machine, rounds: int) -> Result:
    """Measures the time from the commit of a Stop to the end of the connection to a provider that is silent."""
    found: dict[str, list[list[float]]] = {"Stop": [], "every push lost": []}
    with provider(machine):
        for _ in range(rounds):
            found["Stop"].append(people(machine, "stops", times=TIMES, lost=False, url=MODEL_URL))
            found["every push lost"].append(people(machine, "stops", times=TIMES_LOST, lost=True, url=MODEL_URL))
    p50, p99 = percentiles(all_of(found["Stop"]))
    lost = max(all_of(found["every push lost"]))
    return Result(
        name="Stop, from its commit until the provider's connection is closed",
        reach="p50 ≤ 15 ms, p99 ≤ 100 ms; with every push lost ≤ 1.2 s",
        reached=p50 <= 15 and p99 <= 100 and lost <= 1200,
        found=f"p50 {p50:.1f} ms, p99 {p99:.1f} ms; slowest of {TIMES_LOST * rounds} lost ones {lost / 1000:.2f} s",
        columns=("", *COLUMNS),
        rows=latencies(found),
    )


def wake(machine: Machine, rounds: int) -> Result:
    """Measures the time from the commit of a post until the agent begins: its first line of code."""
    found: dict[str, list[list[float]]] = {"wake": [], "wake lost": []}
    people(machine, "wakes", times=5, lost=False)
    for _ in range(rounds):
        found["wake"].append(people(machine, "wakes", times=TIMES, lost=False))
        found["wake lost"].append(people(machine, "wakes", times=TIMES_LOST, lost=True))
    p50, _ = percentiles(all_of(found["wake"]))
    lost = max(all_of(found["wake lost"]))
    return Result(
        name="Wake, from the commit of a post until its agent begins",
        reach="p50 ≤ 20 ms; with the wake lost ≤ 3 s",
        reached=p50 <= 20 and lost <= 3000,
        found=f"p50 {p50:.1f} ms; slowest of {TIMES_LOST * rounds} lost ones {lost / 1000:.2f} s",
        columns=("", *COLUMNS),
        rows=latencies(found),
    )


def first_text(machine: Machine, rounds: int) -> Result:
    """Measures the time from a post on one device until the first text is on another one's socket."""
    found: dict[str, list[list[float]]] = {"ours": [], "plain Celery": []}
    with systems.plain_celery(machine) as peer:
        for _ in range(rounds):
            ours = Ours(machine).wire(people(machine, "open_sessions", count=TIMES + 5, agent="timed"))
            for name, wire in (("ours", ours), ("plain Celery", peer.open(TIMES + 5))):
                plan = json.dumps({**wire, "times": TIMES})
                found[name].append(json.loads(run_python(machine, "bench.load.devices", plan)))
    p50, _ = percentiles(all_of(found["ours"]))
    of_peer = p50 / percentiles(all_of(found["plain Celery"]))[0]
    return Result(
        name="Post, until the first text is on another device's socket",
        reach="p50 ≤ 40 ms",
        reached=p50 <= 40,
        found=f"p50 {p50:.1f} ms; {of_peer:.1f} times plain Celery's, which keeps nothing",
        columns=("system", *COLUMNS),
        rows=latencies(found),
    )


def answered(machine: Machine, rounds: int) -> Result:
    """Measures the time from an answer until the agent that asked goes on: from its commit, and from its call, as for DBOS."""
    since_commit, since_call = "ours, from the commit", "ours, from the call"
    found: dict[str, list[list[float]]] = {
        name: [] for name in (since_commit, since_call, "DBOS, threads", "DBOS, coroutines")
    }
    people(machine, "answers", times=5)
    for _ in range(rounds):
        ours = people(machine, "answers", times=TIMES)
        found[since_call].append([called for called, _ in ours])
        found[since_commit].append([committed for _, committed in ours])
        for form, took in dbos(machine, "answers", TIMES).items():
            found[f"DBOS, {form}"].append(took)
    p50s = {name: percentiles(all_of(each))[0] for name, each in found.items()}
    peer = min(p50 for name, p50 in p50s.items() if name.startswith("DBOS"))
    return Result(
        name="Ask, from the answer until the Run goes on",
        reach="p50 ≤ 30 ms from the commit",
        reached=p50s[since_commit] <= 30,
        found=f"p50 {p50s[since_commit]:.1f} ms; {p50s[since_call]:.1f} ms from the call, and no worker held;"
        f" DBOS's send → recv {peer:.1f} ms, with a task or thread held",
        columns=("system", *COLUMNS),
        rows=latencies(found),
    )
