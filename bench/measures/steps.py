"""Measures durable steps, beside DBOS on the same PostgreSQL."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from bench.delivery import percentiles
from bench.load.processes import people
from bench.measures.figures import query, wait_until_idle
from bench.measures.result import Result, cell
from bench.systems import dbos
from tests.support.machine import Machine

RUNS, EACH = 32, 400
ALONE = 500
_STEPS = """
    SELECT array_agg(step.result::text::bigint ORDER BY step.ordinal) FROM step
    WHERE step.session_id = ANY(%s::uuid[]) GROUP BY step.run_id
"""

Times = Sequence[Sequence[int]]  # when each step of each Run began, in µs


def steps(machine: Machine, rounds: int) -> Result:
    """Measures the time from the start of a step to that of the next one, of one Run; and steps per second, of 32 Runs."""
    gaps: dict[str, list[tuple[float, float]]] = {"ours": [], "DBOS, threads": [], "DBOS, coroutines": []}
    per_s: dict[str, list[float]] = {name: [] for name in gaps}
    _ours(machine, 1, 10)
    for _ in range(rounds):
        alone, many = (
            {"ours": _ours(machine, runs, each), **_dbos(machine, runs, each)}
            for runs, each in ((1, ALONE), (RUNS, EACH))
        )
        for name, found in gaps.items():
            found.append(percentiles(_gaps_ms(alone[name])))
            per_s[name].append(_per_s(many[name]))
    p50s = {name: median(p50 for p50, _ in each) for name, each in gaps.items()}
    rates = {name: median(each) for name, each in per_s.items()}
    peer_ms = min(value for name, value in p50s.items() if name != "ours")
    peer_rate = max(value for name, value in rates.items() if name != "ours")
    return Result(
        name=f"Durable step, from its start to that of the next one; and steps of {RUNS} Runs in one worker",
        reach="p50 ≤ 5 ms; ≥ 1,000 steps/s; both as good as DBOS's",
        reached=p50s["ours"] <= min(5, peer_ms) and rates["ours"] >= max(1000, peer_rate),
        found=f"p50 {p50s['ours']:.1f} ms (DBOS {peer_ms:.1f}); {rates['ours']:,.0f} steps/s (DBOS {peer_rate:,.0f})",
        columns=("system", "p50 ms", "p99 ms", f"steps/s of {RUNS} Runs"),
        rows=[
            (
                name,
                cell(gaps[name], lambda each: f"{each[0]:.1f}"),
                cell(gaps[name], lambda each: f"{each[1]:.1f}"),
                cell(per_s[name], lambda value: f"{value:,.0f}"),
            )
            for name in gaps
        ],
    )


def _ours(machine: Machine, runs: int, each: int) -> Times:
    made = people(machine, "open_sessions", count=runs, agent="timed")
    streams = [one["session"] for one in made]
    people(machine, "post", streams=streams, order={"steps": each})
    wait_until_idle(machine)
    return _checked([times for (times,) in query(machine, _STEPS, streams)], runs, each)


def _dbos(machine: Machine, runs: int, each: int) -> dict[str, Times]:
    return {f"DBOS, {form}": _checked(found, runs, each) for form, found in dbos(machine, "steps", runs, each).items()}


def _checked(found: Times, runs: int, each: int) -> Times:
    assert [len(times) for times in found] == [each] * runs, "a step is missing"
    return found


def _gaps_ms(found: Times) -> list[float]:
    return [(after - before) / 1000 for times in found for before, after in pairwise(times)]


def _per_s(found: Times) -> float:
    """Returns the rate while all of them were at work: between the last one's first step and the first one's last."""
    begin, end = max(times[0] for times in found), min(times[-1] for times in found)
    return sum(begin <= time < end for times in found for time in times) / (end - begin) * 1e6
