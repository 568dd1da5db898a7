"""Keeps programs running. honcho runs the processes and reads their lines; restarts and giving up are ours.

honcho's own Manager ends everything when one process ends, and forks a process for each program, which would survive a `kill -9`.
"""

import contextlib
import os
import shlex
import signal
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final, NoReturn

from honcho.colour import get_colours
from honcho.printer import Message
from honcho.process import Popen, Process

from chatapp.launcher.supervisor.output import Output
from chatapp.launcher.supervisor.programs import Program

HEALTHY_AFTER_S: Final = 5.0  # a process that lived so long has started well: the next death counts as the first
BACKOFF_S: Final = 0.25  # before the first restart; doubled at each further death in a row
DEATHS_LIMIT: Final = 5  # in a row
READY_WITHIN_S: Final = 60.0
TICK_S: Final = 0.05
REASON_LINES: Final = 15  # of a program's log, in the sentence of GaveUp


class GaveUp(Exception):  # noqa: N818  # not an error in the code
    """A program cannot be kept running. The sentence names it, with the last lines of its log."""


class _Managed:
    """One program with the state of its process."""

    def __init__(self, program: Program, colour: str) -> None:
        self.program = program
        self.colour = colour
        self.running = False  # from the decision to start it until its end was seen
        self.pid: int | None = None
        self.started_at = 0.0  # monotonic seconds, as is `restart_at`
        self.restart_at: float | None = None
        self.deaths = 0  # in a row
        self.last_lines: deque[str] = deque(maxlen=REASON_LINES)


class Supervisor:
    """Starts programs, and restarts them while `wait_until_ready` or `watch` runs. For one thread."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._messages: SimpleQueue[Message] = SimpleQueue()
        self._colours = get_colours()
        self._managed: dict[str, _Managed] = {}
        self._stopping = False

    def start(self, programs: Sequence[Program]) -> None:
        for program in programs:
            self._managed[program.name] = _Managed(program, next(self._colours))
            self._launch(self._managed[program.name])

    def wait_until_ready(self, programs: Sequence[Program]) -> None:
        """Raises GaveUp if a program is not ready within READY_WITHIN_S."""
        deadline = time.monotonic() + READY_WITHIN_S
        with ThreadPoolExecutor(max_workers=1) as executor:
            for program in programs:
                while not self._is_ready(program, executor):
                    if time.monotonic() > deadline:
                        reason = f"is not ready after {READY_WITHIN_S:.0f} s"
                        raise GaveUp(self._reason(self._managed[program.name], reason))
                    self._step()

    def watch(self) -> NoReturn:
        """Restarts programs that die, for ever. Raises GaveUp when one keeps dying."""
        while True:
            self._step()

    def stop(self, names: Sequence[str]) -> None:
        """Sends the programs their stop signals, and kills those that do not end in time."""
        self._stopping = True
        for managed in self._running(names):
            while managed.pid is None and managed.running:  # its process does not exist yet
                self._step()
            self._signal(managed, managed.program.stop_signal)
        deadline = time.monotonic() + max(
            (managed.program.stop_within_s for managed in self._running(names)), default=0.0
        )
        while self._running(names) and time.monotonic() < deadline:
            self._step()
        self.kill(names)

    def kill(self, names: Sequence[str]) -> None:
        """Kills the programs with their children, and waits for their end."""
        for managed in self._running(names):
            self._output.write(f"{managed.program.name} does not stop: killed.", "WARNING")
            self._signal(managed, signal.SIGKILL)
        while self._running(names):
            self._step()

    def _is_ready(self, program: Program, executor: ThreadPoolExecutor) -> bool:
        """Calls `is_ready` in the executor. A program that only just starts may answer slowly; its log should still appear."""
        answer = executor.submit(program.is_ready)
        while not answer.done():
            self._step()
        return answer.result()

    def _running(self, names: Sequence[str]) -> list[_Managed]:
        return [managed for name, managed in self._managed.items() if name in names and managed.running]

    def _launch(self, managed: _Managed) -> None:
        program = managed.program
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        process = Process(
            program.command(), name=program.name, colour=managed.colour, env=environment, cwd=program.folder
        )
        process._child_ctor = partial(Popen, shell=False, pass_fds=program.fds)  # noqa: SLF001  # no shell in between
        managed.started_at = time.monotonic()
        managed.restart_at = None
        managed.running = True
        # The kernel sends the parent-death signal when the *thread* ends that started the process; this one ends after it.
        Thread(target=process.run, args=(self._messages,), name=f"read-{program.name}", daemon=True).start()

    def _step(self) -> None:
        """Handles the messages of honcho, waiting up to TICK_S for the first, and starts programs whose restart is due."""
        with contextlib.suppress(Empty):
            self._handle(self._messages.get(timeout=TICK_S))
            while True:
                self._handle(self._messages.get_nowait())
        for managed in self._managed.values():
            self._kill_orphans(managed)
            if managed.restart_at is not None and time.monotonic() >= managed.restart_at and not self._stopping:
                self._launch(managed)

    def _handle(self, message: Message) -> None:
        managed = self._managed[message.name]
        if message.type == "line":
            managed.last_lines.append(self._output.relay(message))
        elif message.type == "start":
            managed.pid = message.data["pid"]
            self._output.write(f"{message.name} is process {managed.pid}.")
        else:
            self._ended(managed, message.data["returncode"])

    def _ended(self, managed: _Managed, status: int) -> None:
        self._signal(managed, signal.SIGKILL)  # its children that are left
        managed.pid, managed.running = None, False
        if self._stopping:
            self._output.write(f"{managed.program.name} ended.")
            return
        lived_s = time.monotonic() - managed.started_at
        managed.deaths = 1 if lived_s >= HEALTHY_AFTER_S else managed.deaths + 1
        if managed.deaths >= DEATHS_LIMIT:
            raise GaveUp(self._reason(managed, f"ended {managed.deaths} times in a row, {_cause(status)}"))
        delay_s = BACKOFF_S * 2 ** (managed.deaths - 1)
        managed.restart_at = time.monotonic() + delay_s
        self._output.write(
            f"{managed.program.name} ended, {_cause(status)}; it is started again in {delay_s:g} s.", "WARNING"
        )

    def _reason(self, managed: _Managed, what: str) -> str:
        last = "".join(f"\n    {line}" for line in managed.last_lines)
        command = shlex.join(managed.program.command())
        return f"{managed.program.name} {what}. Its last lines:{last or ' none.'}\nIt was started as: {command}"

    @staticmethod
    def _kill_orphans(managed: _Managed) -> None:
        """Kills the children of a dead program. honcho does not see its end while they hold its output open."""
        if managed.pid is None:
            return
        with contextlib.suppress(ChildProcessError):
            if os.waitid(os.P_PID, managed.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(managed.pid, signal.SIGKILL)

    @staticmethod
    def _signal(managed: _Managed, number: int) -> None:
        """Sends SIGKILL to the whole process group, any other signal to the process alone."""
        if managed.pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(managed.pid, number)
            else:
                os.kill(managed.pid, number)


def _cause(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
