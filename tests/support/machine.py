"""A whole machine of its own: `manage.py up` with data in a temporary folder, as an operator starts it.

For tests of what only real processes can show. `machine.pid("web")` is there to be killed; `up` starts it again.
"""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final, TypeVar

from chatapp.launcher.embedded import launch
from tests.support.leftovers import open_folder
from tests.support.waiting import DEADLINE_S, START_S, until

ROOT: Final = Path(__file__).resolve().parents[2]
# Settings of this pytest process that the machine must not inherit.
_NOT_INHERITED: Final = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "HOST", "PORT", "ALLOWED_HOSTS")
T = TypeVar("T")


class Machine:
    """`manage.py up` of the checkout `root`, on `folder` and a free port. Settings of its own are given as keywords, by their
    names.
    """

    def __init__(self, folder: Path, root: Path = ROOT, /, **environment: str) -> None:
        self.folder = folder
        self._root = root
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
        self.environment = {**inherited, "VAR_DIR": str(folder), "PORT": str(self.port), **environment}
        self._log = folder / "up.log"
        self._up: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts `up`; returns at once. From the main thread: the kernel ends `up` with the thread that started it."""
        with self._log.open("wb") as log:
            command = [*launch.bound_to_owner(signal.SIGTERM), sys.executable, "manage.py", "up"]
            self._up = subprocess.Popen(
                command, cwd=self._root, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def wait_until_ready(self) -> None:
        self.until(lambda: "up       | INFO Ready:" in self.log())

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to `up` alone."""
        assert self._up is not None
        self._up.send_signal(number)

    def wait_until_ended(self) -> int:
        """Waits for the end of `up` and returns its exit status."""
        assert self._up is not None
        return self._up.wait(DEADLINE_S)

    def stop(self) -> int:
        """Sends Ctrl-C and returns the exit status."""
        self.send(signal.SIGINT)
        return self.wait_until_ended()

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs `manage.py …` as in a second terminal."""
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(
            command, cwd=self._root, env=self.environment, capture_output=True, text=True, check=False
        )

    def pid(self, part: str) -> int:
        """Returns the id of the newest process of that part: web, worker, postgres, valkey."""
        found = re.findall(rf"up       \| INFO {part} is process (\d+)\.", self.log())
        return int(found[-1])

    def kill(self, part: str) -> None:
        """Kills the part with SIGKILL and waits until `up` has started it again."""
        with self.without(part):
            pass

    @contextmanager
    def without(self, part: str) -> Iterator[None]:
        """Kills the part with SIGKILL and pauses `up`, which starts it again when the block ends."""
        old = self.pid(part)
        self.send(signal.SIGSTOP)
        try:
            os.kill(old, signal.SIGKILL)
            yield
        finally:
            self.send(signal.SIGCONT)
        self.until(lambda: self.pid(part) != old)

    def is_ready(self) -> bool:
        """Returns whether the web server says that it is ready."""
        return is_ready(self.port)

    def sign_in_link(self) -> str:
        """Returns the one-time link for `demo` that the last start printed."""
        link: str = re.findall(r"Sign in as demo, once: (\S+)", self.log())[-1]
        return link

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def processes(self) -> list[str]:
        """Returns the command lines of the processes that this machine started and that still run."""
        mark = bytes(self.folder)  # in the environment of each, unless the process wrote its title over it
        entries = [entry for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
        found = [entry for entry in entries if mark in _read(entry / "environ") + _read(entry / "cmdline")]
        return [_read(entry / "cmdline").replace(b"\0", b" ").decode() for entry in found]

    def until(self, fact: Callable[[], T | None]) -> T:
        """Waits as `waiting.until` does, and fails with the log of `up`; at once when `up` has ended."""

        def found() -> T | None:
            assert self._up is None or self._up.poll() is None, f"`up` has ended:\n{self.log()}"
            return fact()

        return until(found, within_s=START_S, otherwise=self.log)

    def wait_until_gone(self) -> None:
        """Waits until no process that `up` started runs."""
        until(lambda: not self.processes(), otherwise=lambda: "\n".join(self.processes()))

    def end(self) -> None:
        """Stops `up` if it still runs."""
        if self._up is not None and self._up.poll() is None:
            self.stop()


@contextmanager
def machine(**environment: str) -> Iterator[Machine]:
    """Starts a machine, waits until it is ready, and ends it afterwards."""
    with open_folder() as folder:
        made = Machine(folder, **environment)
        try:
            made.start()
            made.wait_until_ready()
            yield made
        finally:
            made.end()


def is_ready(port: int) -> bool:
    """Returns whether a web server at that port says that it is ready."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # it ended meanwhile, or is somebody else's
        return b""
