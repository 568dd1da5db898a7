"""Ends a worker whose loop an agent has blocked, and clears up after one that an agent has killed. A process of its own,
`python -m agents.runner.watchdog`, beside each worker.

Heartbeat, sweeper, timers and all agents of a worker share one loop. One agent that never awaits (an endless loop, a bad regular
expression, a blocking driver) stops them all, and nothing inside that process can be relied on then. So the guard is outside:

silent for WARN_S   It logs the agent's file and line. The worker's faulthandler wrote them: its thread needs no GIL.
for a lease         It kills the worker, because others would now take over its Runs, and freeze in their turn. The Run that held
                    the loop ends `failed` with the code `agent_blocked`. The others are handed back, which costs them no
                    attempt, and other workers claim them at once.
the worker died     While it executed a Run: that one is taken for the cause (it exhausted the memory, a library crashed). Its
                    attempt counts, the others are handed back. Of no Run that is known: their leases lapse.

Silence is counted in this process's own ticks and not by the clock, because a machine that sleeps or crawls stops both alike. A
worker that a signal has stopped (SIGSTOP, a debugger) blocks nobody: its leases lapse like those of any dead worker.
"""

import asyncio
import faulthandler
import logging
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from agents.runner.marks import Marked, Marks

TICK_S: Final = 0.25
WARN_S: Final = 2.0  # at most; with a short lease a third of it
RETRY_AFTER_S: Final = 2.0  # while the database is away
ATTEMPTS: Final = 150  # five minutes; then the leases have lapsed long ago
DUMP_BYTES: Final = 64 * 1024  # what a pipe holds

logger = logging.getLogger(__name__)


def warn_s(lease_s: float) -> float:
    """Returns after how many silent seconds it is logged where the loop is."""
    return min(WARN_S, lease_s / 3)


async def tick(marks: Marks, dump: int, each_tick: Callable[[], None], *, lease_s: float) -> None:
    """Ticks in `marks` as long as the loop is not blocked, and calls `each_tick`. Runs until cancelled.

    When the loop is silent for too long, faulthandler writes the stacks of all threads to the file descriptor `dump`.
    """
    try:
        while True:
            marks.tick(threading.get_ident())
            faulthandler.dump_traceback_later(warn_s(lease_s), file=dump)
            each_tick()
            await asyncio.sleep(TICK_S)
    finally:
        faulthandler.cancel_dump_traceback_later()


class Watchdog:
    """The process of the watchdog, for the worker that starts it and is watched by it."""

    def __init__(self, marks: Marks, worker: str, *, lease_s: float) -> None:
        self._marks = marks
        self._worker = worker
        self._lease_s = lease_s
        self._read, self.dump = os.pipe()
        os.set_blocking(self.dump, False)  # a full pipe must not hold the thread that writes the stacks
        self._process = self._start()

    def restart_if_dead(self) -> None:
        """Starts another process when the watchdog's has ended."""
        if (status := self._process.poll()) is not None:
            logger.warning("The watchdog ended with status %s; another one is started.", status)
            self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        inherited = (self._marks.fd, self._read)
        given = map(str, (*inherited, os.getpid(), self._lease_s))
        return subprocess.Popen(
            [sys.executable, "-m", "agents.runner.watchdog", *given, self._worker],
            pass_fds=inherited,
            start_new_session=True,  # whoever kills the worker's process group must not kill this before it has acted
        )


class Silence:
    """Counts how long a worker's loop has been silent, in the watchdog's own ticks. Without I/O: the caller passes the ticks."""

    def __init__(self) -> None:
        self._ticked = 0
        self._count = 0

    def observe(self, ticked: int, *, stopped: bool) -> float:
        """Returns the seconds since the loop's last tick. `ticked` is when that was, 0 before the first; `stopped` is true when a
        signal has stopped the worker.
        """
        self._count = self._count + 1 if ticked == self._ticked and ticked and not stopped else 0
        self._ticked = ticked
        return self._count * TICK_S


def culprit(dump: str, thread: int, *, library: str = sys.base_prefix) -> str:
    """Returns `file, line n, in function` of the innermost frame that is not below `library`, from faulthandler's text.

    The last stack of the thread counts: the pipe may still hold one from a short silence before.
    """
    block = next((part for part in reversed(dump.split("\n\n")) if f"Thread {thread:#018x}" in part), "")
    frames = re.findall(r'File "(.+)", line (\d+) in (.+)', block)
    own = [frame for frame in frames if not frame[0].startswith((library, "<frozen"))]
    file, line, function = (own or frames or [("?", "?", "?")])[0]
    return f"{file}, line {line}, in {function}"


def watch(marks: Marks, dump: int, worker_pid: int, worker: str, *, lease_s: float) -> None:
    """Watches the worker until it has ended, or has to be killed."""
    silence, warned = Silence(), False
    while True:
        time.sleep(TICK_S)
        if os.getppid() != worker_pid:
            if (marked := marks.marked()) is not None:
                logger.error("%s has died while it executed the Run %s.", worker, marked.run)
                _clear_up(worker, marked, blocked=False, attempts=math.ceil(lease_s / RETRY_AFTER_S))
            return
        ticked, thread = marks.ticked()
        silent_s = silence.observe(ticked, stopped=_is_stopped(worker_pid))
        if silent_s < warn_s(lease_s):
            warned = False
        elif not warned and (stacks := _read_dump(dump)):
            warned = True
            held_by, where = _describe(marks.marked()), culprit(stacks, thread)
            logger.error("%s has been blocked for %d s %s: %s", worker, silent_s, held_by, where)
        if silent_s >= lease_s:
            _kill(marks.marked(), worker_pid, worker)
            return


def _describe(marked: Marked | None) -> str:
    return f"by the Run {marked.run}" if marked else "by no Run that is known"


def _is_stopped(pid: int) -> bool:
    """Returns whether a signal has stopped the process."""
    try:  # field 3 of the file, after the name in parentheses: proc(5)
        state = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # it has ended
        return False
    return state in {"T", "t"}


def _read_dump(dump: int) -> str:
    try:
        return os.read(dump, DUMP_BYTES).decode(errors="replace")
    except BlockingIOError:
        return ""


def _kill(marked: Marked | None, worker_pid: int, worker: str) -> None:
    logger.error("%s is killed: it was blocked %s.", worker, _describe(marked))
    os.kill(worker_pid, signal.SIGKILL)
    _clear_up(worker, marked, blocked=True, attempts=ATTEMPTS)


def _clear_up(worker: str, marked: Marked | None, *, blocked: bool, attempts: int) -> None:
    """Ends or hands back the Runs of a dead worker, with so many attempts while the database is away."""
    import django  # noqa: PLC0415  # half a second and 50 MB that a watchdog needs only now

    django.setup()
    from sessions_core.services import failures, runs  # noqa: PLC0415  # needs the line above

    held = (marked.run, marked.fence) if marked else None
    for _ in range(attempts):
        try:
            (runs.end_blocked if blocked else runs.hand_over)(worker, held)
        except Exception as error:
            if not failures.is_outage(error):
                raise
            logger.warning("The Runs of %s wait for the database: %s", worker, error)
            time.sleep(RETRY_AFTER_S)
        else:
            return
    logger.error("The Runs of %s were not handed back: the database was away for too long.", worker)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = ArgumentParser(description="Watches one worker. Started by it.")
    for name in ("marks", "dump", "pid"):
        parser.add_argument(name, type=int)
    parser.add_argument("lease_s", type=float)
    parser.add_argument("worker")
    given = parser.parse_args(arguments)
    for ignored in (signal.SIGINT, signal.SIGTERM):  # a Ctrl-C reaches the whole group; the worker's end is this one's
        signal.signal(ignored, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    os.set_blocking(given.dump, False)
    try:
        watch(Marks(given.marks), given.dump, given.pid, given.worker, lease_s=given.lease_s)
    except Exception:
        logger.exception("The watchdog of %s has failed.", given.worker)
    finally:
        logging.shutdown()
        os._exit(0)  # the threads of a pool whose database has vanished would keep this process for ever


if __name__ == "__main__":
    main()
