"""`python -m bench.large.watched_web PORT`: a web process that watches its loop and its log. For each line on stdin it prints the
figures since the line before, as JSON.
"""

import asyncio
import logging
import socket
import sys
import time
from collections import Counter

import django

django.setup()

import msgspec  # noqa: E402
import uvicorn  # noqa: E402
from typing_extensions import override  # noqa: E402

from chatapp.launcher import listener, server  # noqa: E402

TICK_S = 0.002


class Figures(msgspec.Struct):
    """`blocked_ms` is the longest time between two turns of the loop, `busy_ms` the most that its thread computed in one."""

    blocked_ms: float = 0.0
    busy_ms: float = 0.0
    cpu_s: float = 0.0
    lines: dict[str, int] = {}


class Lines(logging.Handler):
    """Counts the lines of the log, by their sentence."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: Counter[str] = Counter()

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.counted[f"{record.levelname} {record.msg}"] += 1


class Watched(server.Server):
    """The web server as it is, and a task that looks at the clocks."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.lines = Lines()
        self.figures = Figures()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        logging.getLogger().addHandler(self.lines)
        loop = asyncio.get_running_loop()
        self.tasks = [loop.create_task(self._watch())]
        loop.add_reader(sys.stdin, self._report)
        sys.stdout.write("ready\n")
        sys.stdout.flush()

    async def _watch(self) -> None:
        wall, cpu = time.perf_counter(), time.thread_time()
        while True:
            await asyncio.sleep(TICK_S)
            wall_now, cpu_now = time.perf_counter(), time.thread_time()
            self.figures.blocked_ms = max(self.figures.blocked_ms, (wall_now - wall - TICK_S) * 1000)
            self.figures.busy_ms = max(self.figures.busy_ms, (cpu_now - cpu) * 1000)
            wall, cpu = wall_now, cpu_now

    def _report(self) -> None:
        if not sys.stdin.readline():
            self.should_exit = True
            return
        found, self.figures = self.figures, Figures(cpu_s=time.process_time())
        found.cpu_s = time.process_time() - found.cpu_s
        found.lines = dict(self.lines.counted)
        self.lines.counted.clear()
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    Watched(server.config()).run(sockets=[listener.listen("127.0.0.1", int(sys.argv[1]))])
