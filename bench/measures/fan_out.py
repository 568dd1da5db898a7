"""Measures the way from the publisher to the readers, beside the peers."""

import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from statistics import median

import msgspec

from bench import systems
from bench.delivery import Round, deliver
from bench.measures.result import Result, cell
from bench.systems import Ours
from tests.support.machine import Machine


def fan_out(machine: Machine, rounds: int) -> Result:
    """Measures the time from the commit to the frame at the client: 20 Sessions, 5 tabs and 25 frames a second in each."""
    result, ours, of_channels, of_socketio = _fan_out(machine, rounds, frames_per_s=25)
    return msgspec.structs.replace(
        result,
        reach="p99 ≤ 30 ms; ≤ 1/10 of plain Channels'; ≤ Socket.IO's",
        reached=ours <= 30 and of_channels <= 0.1 and of_socketio <= 1,
    )


def fan_out_thrice(machine: Machine, rounds: int) -> Result:
    """Measures the same at three times the rate, with which plain Channels does not keep up here."""
    result, _, of_channels, of_socketio = _fan_out(machine, rounds, frames_per_s=75)
    return msgspec.structs.replace(
        result,
        reach="p99 ≤ 1/10 of plain Channels'; ≤ Socket.IO's (not asked for: at 25 frames/s nobody is at a limit here)",
        reached=of_channels <= 0.1 and of_socketio <= 1,
    )


def _fan_out(machine: Machine, rounds: int, *, frames_per_s: int) -> tuple[Result, float, float, float]:
    """Returns the result without its reach, our p99 in ms, and our p99 divided by plain Channels' and by Socket.IO's."""
    plan = {"streams": 20, "each": 5, "count": 6 * frames_per_s, "every_us": 1_000_000 // frames_per_s}
    found = _in_turn(machine, ("ours", "channels", "socketio"), rounds, "delta", **plan)
    p99 = {name: median(each.since_commit[1] for each in measured) for name, measured in found.items()}
    of_channels, of_socketio = p99["ours"] / p99["channels"], p99["ours"] / p99["socketio"]
    result = Result(
        name=f"Fan-out, 20 Sessions × 5 tabs × {frames_per_s} frames/s, commit → frame at the client",
        reach="",
        reached=False,
        found=f"p99 {p99['ours']:.1f} ms; {of_channels:.2g} of plain Channels'; {of_socketio:.2f} of Socket.IO's",
        columns=("system", "p50 ms", "p99 ms", "missing / doubled / reordered", "server CPU s", "readers CPU s"),
        rows=[
            (
                name,
                cell(measured, lambda each: f"{each.since_commit[0]:.1f}"),
                cell(measured, lambda each: f"{each.since_commit[1]:.1f}"),
                _checked(measured),
                cell(measured, lambda each: f"{each.server_cpu_s:.2f}"),
                cell(measured, lambda each: f"{each.readers_cpu_s:.2f}"),
            )
            for name, measured in found.items()
        ],
    )
    return result, p99["ours"], of_channels, of_socketio


def saturation(machine: Machine, rounds: int) -> Result:
    """Measures throughput: 100 tabs on one Session of one web process, Events as fast as they are taken, none merged."""
    plan = {"streams": 1, "each": 100, "count": 500, "every_us": 0}
    found = _in_turn(machine, ("ours", "channels", "floor"), rounds, "progress", **plan)
    per_s = {name: median(each.per_s for each in measured) for name, measured in found.items()}
    per_core = {name: median(each.per_cpu_s for each in measured) for name, measured in found.items()}
    of_floor = per_core["ours"] / per_core["floor"]
    return Result(
        name="Fan-out at saturation, one web process, 100 tabs on one Session",
        reach="≥ 5× plain Channels' deliveries/s; ≥ 15,000/s per core of the server (wanted: ≥ 1.5× the floor's per core)",
        reached=per_s["ours"] >= 5 * per_s["channels"] and per_core["ours"] >= 15_000,
        found=f"{per_s['ours'] / per_s['channels']:.1f}×; {per_core['ours']:,.0f}/s per core, {of_floor:.2f} of the floor's",
        columns=("system", "deliveries/s", "deliveries per CPU second", "frames", "missing / doubled / reordered"),
        rows=[
            (
                name,
                cell(measured, lambda each: f"{each.per_s:,.0f}"),
                cell(measured, lambda each: f"{each.per_cpu_s:,.0f}"),
                cell(measured, lambda each: f"{each.frames:,}"),
                _checked(measured),
            )
            for name, measured in found.items()
        ],
    )


def append_to_reader(machine: Machine, rounds: int) -> Result:
    """Measures the time from the call that appends to the frame at each reader, one Event after the other."""
    names = ("ours", "durable", *(["jetstream"] if shutil.which(systems.JETSTREAM) else []))
    rows = []
    p50: dict[tuple[str, int], float] = {}
    for readers in (1, 10, 100):
        plan = {"streams": 1, "each": readers, "count": 200, "every_us": 20_000}
        found = _in_turn(machine, names, rounds, "delta", **plan)
        for name, measured in found.items():
            p50[name, readers] = median(each.since_call[0] for each in measured)
            shown = (
                cell(measured, lambda each: f"{each.since_call[0]:.1f}"),
                cell(measured, lambda each: f"{each.since_call[1]:.1f}"),
            )
            rows.append((name, str(readers), *shown, _checked(measured)))
    jetstream = [f"{p50['jetstream', n]:.1f} ms at {n}" for n in (1, 10, 100) if "jetstream" in names]
    at_100, at_1 = (p50["ours", n] / p50["durable", n] for n in (100, 1))
    return Result(
        name="Durable append → reader, on one stream",
        reach="p50 ≤ 1/3 of Durable Streams' at 100 readers, ≤ its at 1 (wanted: at 1, JetStream's and one fdatasync more)",
        reached=at_100 <= 1 / 3 and at_1 <= 1,
        found=f"{at_100:.2f} of Durable Streams' at 100 readers, {at_1:.2f} at 1; JetStream {', '.join(jetstream) or 'left out'}",
        columns=("system", "readers", "p50 ms", "p99 ms", "missing / doubled / reordered"),
        rows=rows,
    )


def _in_turn(machine: Machine, names: Sequence[str], rounds: int, kind: str, **plan: int) -> dict[str, list[Round]]:
    """Takes the systems in turn, A B C A B C …, so that a noisy minute harms all of them."""
    found: dict[str, list[Round]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            with nullcontext(Ours(machine, kind=kind)) if name == "ours" else getattr(systems, name)(machine) as system:
                found[name].append(deliver(machine, system, **plan))
    return found


def _checked(measured: Sequence[Round]) -> str:
    return " · ".join(f"{each.missing}/{each.doubled}/{each.reordered}" for each in measured)
