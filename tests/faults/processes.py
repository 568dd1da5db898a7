"""A process that a fault can kill, pause and start again. It ends with the tests, however they end."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from chatapp.launcher.embedded import launch
from tests.support.waiting import DEADLINE_S, START_S, eventually, until

ROOT: Final = Path(__file__).resolve().parents[2]
ENDED_WITHIN_S: Final = 5.0  # then a process that is not wanted any more is killed


class Process:
    """Runs `command`. It is ready when `is_ready` returns True, or when its log contains that text. Start it from the main
    thread only: the kernel ends it with the thread that started it.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        *,
        is_ready: Callable[[], bool] | str,
        log: Path,
        environment: Mapping[str, str] | None = None,
        stop: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.environment = dict(environment if environment is not None else os.environ)
        self._is_ready = is_ready
        self._said_before = 0
        self.log = log
        self._command = command
        self._stop = stop
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts it; returns at once."""
        self.log.touch()
        self._said_before = self.log.stat().st_size
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def wait_until_ready(self) -> None:
        until(self._ready, within_s=START_S, otherwise=self.tail)

    async def ready(self) -> None:
        """Waits until it is ready, while clients go on."""
        await eventually(self._ready, within_s=START_S, otherwise=self.tail, blocking=True)

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Sends the signal and waits until the process is gone."""
        self.send(number)
        assert self._process is not None
        self._process.wait(DEADLINE_S)

    def pause(self) -> None:
        self.send(signal.SIGSTOP)

    def go_on(self) -> None:
        self.send(signal.SIGCONT)

    async def ended(self) -> int:
        """Waits until it has ended by itself; returns its exit status."""
        assert self._process is not None
        return await asyncio.to_thread(self._process.wait, DEADLINE_S)

    def end(self) -> None:
        """Ends it, whatever state it is in."""
        if not self.is_running:
            return
        self.go_on()
        self.send(self._stop)
        assert self._process is not None
        try:
            self._process.wait(ENDED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def resident_bytes(self) -> int:
        """Returns its resident memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def cpu_s(self) -> float:
        """Returns the seconds of processor time that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def tail(self) -> str:
        """Returns the end of its log."""
        said = self.log.read_text(errors="replace") if self.log.exists() else "was not started"
        return f"{self.name}:\n" + "\n".join(said.splitlines()[-40:])

    def _ready(self) -> bool:
        assert self.is_running, self.tail()
        return self._is_ready in self.said() if isinstance(self._is_ready, str) else self._is_ready()

    def said(self) -> str:
        """Returns what it has logged since it was last started."""
        return self.log.read_bytes()[self._said_before :].decode(errors="replace")


def python(*words: str) -> list[str]:
    """Returns the command of a Python process that the kernel kills together with this one."""
    return [*launch.bound_to_owner(signal.SIGKILL), sys.executable, *words]
