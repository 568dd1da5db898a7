"""Writes RESULTS.md: the figures to reach, those found, and the machine they were found on."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.measures.result import Result

HEAD = """# Results

Written by `make bench` on {date}: {cores} cores ({cpu}), Linux {kernel}, Python {python}. Everything ran on loopback beside each
other, the load generator on the same cores: figures are for comparison, ratios say more than milliseconds. Systems took turns
(A B A B …); each cell has one figure a round, {rounds} rounds; what is compared are the medians. Every delivery was checked:
missing / doubled / reordered.

Peers: **plain Channels** — one consumer per group member, JSON per consumer, Redis Pub/Sub layer, the same uvicorn as ours;
**Socket.IO** 4 with `@socket.io/redis-streams-adapter`; **Durable Streams** — `@durable-streams/server`, file mode, read by
server-sent events; **NATS JetStream** — Debian's `nats-server`, file store, a push consumer a reader: it answers an append
before the disk has it; **plain Celery** — a task on Celery's threads that streams with Redis publish, and a web server that
passes it on; nothing is kept; **DBOS** — durable workflows in PostgreSQL, the same one as ours, in both its forms, threads and
coroutines: the better one is compared. **The floor** — `websockets.broadcast` of the same bytes in one bare process, which
stores nothing.

| measure | to be reached | found | |
| --- | --- | --- | --- |
"""


def write(results: Sequence[Result], rounds: int) -> str:
    """Returns the text of the file, which ends with NOTES.md."""
    notes = Path(__file__).with_name("NOTES.md").read_text()
    head = HEAD.format(
        date=datetime.now(UTC).date(),
        cores=os.cpu_count(),
        cpu=_cpu(),
        kernel=platform.release(),
        python=platform.python_version(),
        rounds=rounds,
    )
    summary = [f"| {one.name} | {one.reach} | {one.found} | {'✓' if one.reached else '✗'} |" for one in results]
    return head + "\n".join(summary) + "\n" + "".join(_table(one) for one in results) + f"\n{notes}"


def _table(result: Result) -> str:
    rows = [result.columns, tuple("---" for _ in result.columns), *result.rows]
    return f"\n## {result.name}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
