"""What is measured, each a function of the running machine: it gives rows for RESULTS.md, and the figures to compare."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from statistics import median
from time import perf_counter
from typing import IO, Any, Final

import msgspec
import psycopg

from bench import pgbench, systems
from bench.delivery import Round, deliver, percentiles
from bench.report import Result
from bench.stopping import stop
from bench.systems import HERE, NODE, Ours, environment
from chatapp.launcher.embedded.addresses import database_url
from tests.support.machine import Machine

KIB: Final = 1024


def fan_out(machine: Machine, rounds: int) -> Result:
    """20 Sessions, 5 tabs each, 25 frames a second in each Session: from the commit to the frame at the client."""
    result, ours, of_channels, of_socketio = _fan_out(machine, rounds, frames_per_s=25)
    return msgspec.structs.replace(
        result,
        reach="p99 ≤ 30 ms; ≤ 1/10 of plain Channels'; ≤ Socket.IO's",
        reached=ours <= 30 and of_channels <= 0.1 and of_socketio <= 1,
    )


def fan_out_thrice(machine: Machine, rounds: int) -> Result:
    """The same at three times the rate, which plain Channels cannot keep up with here."""
    result, _, of_channels, of_socketio = _fan_out(machine, rounds, frames_per_s=75)
    return msgspec.structs.replace(
        result,
        reach="p99 ≤ 1/10 of plain Channels'; ≤ Socket.IO's (not asked for: at 25 frames/s nobody is at a limit here)",
        reached=of_channels <= 0.1 and of_socketio <= 1,
    )


def _fan_out(machine: Machine, rounds: int, *, frames_per_s: int) -> tuple[Result, float, float, float]:
    """The figures, our p99 in milliseconds, and its share of plain Channels' and of Socket.IO's."""
    plan = {"streams": 20, "each": 5, "count": 6 * frames_per_s, "every_us": 1_000_000 // frames_per_s}
    found = _in_turn(machine, ("ours", "channels", "socketio"), rounds, "delta", **plan)
    p99 = {name: median(one.taken[1] for one in them) for name, them in found.items()}
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
                _each(them, lambda one: f"{one.taken[0]:.1f}"),
                _each(them, lambda one: f"{one.taken[1]:.1f}"),
                _checked(them),
                _each(them, lambda one: f"{one.server_cpu_s:.2f}"),
                _each(them, lambda one: f"{one.readers_cpu_s:.2f}"),
            )
            for name, them in found.items()
        ],
    )
    return result, p99["ours"], of_channels, of_socketio


def saturation(machine: Machine, rounds: int) -> Result:
    """100 tabs on one Session of one web process, events as fast as they are taken. No event here can be merged."""
    plan = {"streams": 1, "each": 100, "count": 500, "every_us": 0}
    found = _in_turn(machine, ("ours", "channels"), rounds, "progress", **plan)
    per_s = {name: median(one.per_s for one in them) for name, them in found.items()}
    per_core = median(one.per_cpu_s for one in found["ours"])
    return Result(
        name="Fan-out at saturation, one web process, 100 tabs on one Session",
        reach="≥ 5× plain Channels' deliveries/s; ≥ 15,000/s per core of the server",
        reached=per_s["ours"] >= 5 * per_s["channels"] and per_core >= 15_000,
        found=f"{per_s['ours'] / per_s['channels']:.1f}×; {per_core:,.0f}/s per core",
        columns=("system", "deliveries/s", "deliveries per CPU second", "frames", "missing / doubled / reordered"),
        rows=[
            (
                name,
                _each(them, lambda one: f"{one.per_s:,.0f}"),
                _each(them, lambda one: f"{one.per_cpu_s:,.0f}"),
                _each(them, lambda one: f"{one.frames:,}"),
                _checked(them),
            )
            for name, them in found.items()
        ],
    )


def append_to_reader(machine: Machine, rounds: int) -> Result:
    """From the call that appends durably to the frame at each reader, one event after the other."""
    rows = []
    p50: dict[tuple[str, int], float] = {}
    for readers in (1, 10, 100):
        plan = {"streams": 1, "each": readers, "count": 200, "every_us": 20_000}
        found = _in_turn(machine, ("ours", "durable"), rounds, "delta", **plan)
        for name, them in found.items():
            p50[name, readers] = median(one.begun[0] for one in them)
            shown = (_each(them, lambda one: f"{one.begun[0]:.1f}"), _each(them, lambda one: f"{one.begun[1]:.1f}"))
            rows.append((name, str(readers), *shown, _checked(them)))
    at_100, at_1 = (p50["ours", n] / p50["durable", n] for n in (100, 1))
    return Result(
        name="Durable append → reader, on one stream",
        reach="p50 ≤ 1/3 of Durable Streams' at 100 readers, ≤ its at 1",
        reached=at_100 <= 1 / 3 and at_1 <= 1,
        found=f"{at_100:.2f} of Durable Streams' at 100 readers, {at_1:.2f} at 1",
        columns=("system", "readers", "p50 ms", "p99 ms", "missing / doubled / reordered"),
        rows=rows,
    )


def appends(machine: Machine, rounds: int) -> Result:
    """32 writers of one worker process, and pgbench with the same statement on the same server."""
    ours: dict[int, list[float]] = {1: [], 20: []}
    bench: dict[int, list[float]] = {1: [], 20: []}
    for _ in range(rounds):
        for batch in (1, 20):
            claims = Ours(machine).open(32)["claims"]
            plan = json.dumps({"claims": claims, "batch": batch, "seconds": 5})
            done = _python(machine, "bench.load.writers", plan)
            ours[batch].append(float(done))
            bench[batch].append(pgbench.events_per_s(machine, Ours(machine).open(32)["claims"], batch))
    single, many = (median(ours[n]) for n in (1, 20))
    share = single / median(bench[1])
    return Result(
        name="Appends, 32 writers",
        reach="≥ 70 % of pgbench with the same statement; ≥ 50,000 events/s in batches of 20",
        reached=share >= 0.7 and many >= 50_000,
        found=f"{share:.0%} of pgbench (single events); {many:,.0f} events/s in batches",
        columns=("writers", "single events/s", "events/s in batches of 20"),
        rows=[
            (name, *(_each(them[n], lambda value: f"{value:,.0f}") for n in (1, 20)))
            for name, them in (("ours, one process", ours), ("pgbench, 32 clients", bench))
        ],
    )


def herd(machine: Machine, rounds: int) -> Result:
    """1,000 clients on 20 Sessions are cut at once, while answers go on, and come back from their cursors."""
    p99s, reads = [], []
    for _ in range(rounds):
        wire = Ours(machine).open(20)
        with _connections(wire, 1000, "herd") as process:
            _append(machine, wire, 50)
            before = _log_reads(machine)
            process.stdin.write("cut\n")
            process.stdin.flush()
            _append(machine, wire, 50)
            p99s.append(percentiles(json.loads(process.stdout.readline()))[1] / 1000)
            reads.append(_log_reads(machine) - before)
    return Result(
        name="1,000 clients cut and back, 20 Sessions",
        reach="p99 caught up ≤ 5 s; log reads O(Sessions), not O(clients)",
        reached=median(p99s) <= 5 and median(reads) <= 200,
        found=f"p99 {median(p99s):.1f} s; {median(reads):.0f} reads of the log",
        columns=("p99 caught up, s", "reads of the log"),
        rows=[(_each(p99s, lambda value: f"{value:.1f}"), _each(reads, str))],
    )


def cold_open(machine: Machine, rounds: int) -> Result:
    """The newest 50 Messages of a Session with 100 and with 10,000."""
    sessions = json.loads(_python(machine, "bench.load.long_sessions", "100", "10000"))
    token = machine.manage("issue_token", "bench").stdout.split()[-1]
    took: dict[str, list[float]] = {"100": [], "10000": []}
    size: dict[str, int] = {}
    for _ in range(20 * rounds):
        for messages, session in sessions.items():
            seconds, body = _get(machine, f"/api/sessions/{session}/events?last=50", token)
            took[messages].append(seconds * 1000)
            size[messages] = len(body)
    time, volume = median(took["10000"]) / median(took["100"]), size["10000"] / size["100"]
    return Result(
        name="Cold open of a Session with 10,000 Messages and with 100",
        reach="≤ 1.3× in time and bytes",
        reached=time <= 1.3 and volume <= 1.3,
        found=f"{time:.2f}× in time, {volume:.2f}× in bytes",
        columns=("Messages", "ms", "bytes"),
        rows=[(n, f"{median(took[n]):.1f}", f"{size[n]:,}") for n in took],
    )


def delta_cost(machine: Machine, rounds: int) -> Result:
    """What one more delta costs the server when its Message is long: CPU of the web process and time of the append."""
    cpu_us: dict[str, list[float]] = {"100": [], "10,000": []}
    took_ms: dict[str, list[float]] = {"100": [], "10,000": []}
    with _deltas(machine, 9_900) as long:
        for _ in range(rounds):
            with _deltas(machine, 100) as short:
                for before, wire in (("100", short), ("10,000", long), ("10,000", long), ("100", short)):
                    cpu_us[before].append(_cpu_us(machine, wire))
                for before, took in zip(took_ms, _took_ms(machine, short, long), strict=True):
                    took_ms[before].append(took)
    cpu, took = (median(them["10,000"]) / median(them["100"]) for them in (cpu_us, took_ms))
    return Result(
        name="Server cost of a delta at the 10,000th of a Message, against the 100th",
        reach="≤ 1.1×",
        reached=cpu <= 1.1 and took <= 1.1,
        found=f"{cpu:.2f}× web CPU, {took:.2f}× append time",
        columns=("deltas before", "web CPU µs a delta", "append p50 ms"),
        rows=[
            (n, _each(cpu_us[n], lambda value: f"{value:.0f}"), _each(took_ms[n], lambda value: f"{value:.2f}"))
            for n in cpu_us
        ],
    )


def memory(machine: Machine, rounds: int) -> Result:
    """The web process's memory for 1,000 idle Connections, and for 40 that follow a busy Session and never read."""
    idle, stalled = [], []
    for _ in range(rounds):
        idle.append(_growth(machine, 1000, "idle", 0) / KIB)
        stalled.append(_growth(machine, 40, "stalled", 4_000) / KIB)
    limit = 512 + 300
    return Result(
        name="Memory of an idle and of a stalled Connection",
        reach="≤ 60 KiB; ≤ outbox limit (512 KiB) + 300 KiB",
        reached=median(idle) <= 60 and median(stalled) <= limit,
        found=f"{median(idle):.0f} KiB; {median(stalled):.0f} KiB",
        columns=("idle KiB", "stalled KiB"),
        rows=[(_each(idle, lambda value: f"{value:.0f}"), _each(stalled, lambda value: f"{value:.0f}"))],
    )


ALL: Final[dict[str, Callable[[Machine, int], Result]]] = {
    "fan_out": fan_out,
    "fan_out_thrice": fan_out_thrice,
    "saturation": saturation,
    "append_to_reader": append_to_reader,
    "appends": appends,
    "herd": herd,
    "cold_open": cold_open,
    "delta_cost": delta_cost,
    "memory": memory,
    "stop": stop,
}


def _in_turn(machine: Machine, names: Sequence[str], rounds: int, kind: str, **plan: int) -> dict[str, list[Round]]:
    """A B C A B C …, so that a noisy minute is everybody's."""
    found: dict[str, list[Round]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            with nullcontext(Ours(machine, kind=kind)) if name == "ours" else getattr(systems, name)(machine) as system:
                found[name].append(deliver(machine, system, **plan))
    return found


def _each(them: Sequence[Any], show: Callable[[Any], str]) -> str:
    return " · ".join(show(one) for one in them)


def _checked(them: Sequence[Round]) -> str:
    return " · ".join(f"{one.missing}/{one.doubled}/{one.reordered}" for one in them)


def _python(machine: Machine, module: str, *words: str) -> str:
    command = [sys.executable, "-m", module, *words]
    return subprocess.run(command, env=environment(machine), check=True, stdout=subprocess.PIPE, text=True).stdout


def _append(machine: Machine, wire: dict[str, Any], count: int, *, every_us: int = 20_000) -> list[tuple[int, ...]]:
    """Publishes to the Sessions of `wire`; when each number was begun and committed, in microseconds."""
    out = machine.folder / "published"
    plan = {**wire, "count": count, "every_us": every_us, "out": str(out)}
    subprocess.run([*Ours(machine).publisher(), json.dumps(plan)], env=environment(machine), check=True)
    return [tuple(map(int, line.split(","))) for line in out.read_text().splitlines()]


@contextmanager
def _connections(wire: dict[str, Any], clients: int, mode: str) -> Iterator[Any]:
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


def _log_reads(machine: Machine) -> int:
    """Index scans on the table of Events: one for each read of a log."""
    with psycopg.connect(database_url(machine.folder)) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        row = connection.execute("SELECT idx_scan FROM pg_stat_user_tables WHERE relname = 'event'").fetchone()
    return int(row[0]) if row else 0


def _get(machine: Machine, path: str, token: str) -> tuple[float, bytes]:
    request = urllib.request.Request(f"{machine.url}{path}", headers={"Authorization": f"Bearer {token}"})
    began = perf_counter()
    with urllib.request.urlopen(request) as answer:
        body: bytes = answer.read()
    return perf_counter() - began, body


@contextmanager
def _deltas(machine: Machine, count: int) -> Iterator[dict[str, Any]]:
    """A Session that 20 follow, with a Message of so many deltas."""
    wire = Ours(machine).open(1)
    with _connections(wire, 20, "idle"):
        _append(machine, wire, count, every_us=0)
        yield wire


def _cpu_us(machine: Machine, wire: dict[str, Any]) -> float:
    """Of the web process, for each of 500 more deltas."""
    before = Ours(machine).server.cpu_times()
    _append(machine, wire, 500, every_us=4_000)
    after = Ours(machine).server.cpu_times()
    return (after.user + after.system - before.user - before.system) / 500 * 1e6


def _took_ms(machine: Machine, *wires: dict[str, Any]) -> list[float]:
    """The median append to each, when they take turns."""
    both = {name: [one for wire in wires for one in wire[name]] for name in ("streams", "claims")}
    rows = _append(machine, {**wires[0], **both}, 500, every_us=8_000)
    return [
        median((taken - begun) / 1000 for stream, _, begun, taken in rows if stream == n) for n in range(len(wires))
    ]


def _growth(machine: Machine, clients: int, mode: str, events: int) -> float:
    """Bytes that each Connection adds to a web process that was just started."""
    machine.kill("web")
    machine.until(machine.is_ready)
    wire = Ours(machine).open(1)
    server = Ours(machine).server
    with _connections(wire, 50, "idle"):  # what the process needs once, it has then
        pass
    before = server.memory_info().rss
    with _connections(wire, clients, mode):
        if events:
            _append(machine, {**wire, "kind": "progress"}, events, every_us=0)
        return float(server.memory_info().rss - before) / clients
