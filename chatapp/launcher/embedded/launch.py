"""Starts one service for as long as its owner lives."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import Signals
from typing import Final, Protocol

from django.core.exceptions import ImproperlyConfigured

READY_WITHIN_S: Final = 60.0  # after a crash PostgreSQL first replays its write-ahead log
POLL_S: Final = 0.02
STOP_WITHIN_S: Final = 20.0


class Service(Protocol):
    """PostgreSQL or Valkey, as `manage.py up` and the tests need it."""

    name: str
    stop_signal: Signals

    @property
    def url(self) -> str: ...
    def prepare(self) -> list[str]:
        """Creates the data folder if there is none yet, and returns the command of the server, which stays in the foreground."""
        ...

    def is_ready(self) -> bool: ...


def bound_to_owner(stop: Signals) -> list[str]:
    """Returns the beginning of a command. The kernel sends it `stop` when the thread that started it ends, killed or not."""
    if shutil.which("setpriv") is None:
        raise ImproperlyConfigured("setpriv is missing: install the Debian package util-linux.")
    return ["setpriv", "--pdeathsig", stop.name.removeprefix("SIG")]


@contextmanager
def running(service: Service, log: Path) -> Iterator[str]:
    """Starts `service`, yields its URL once it is ready, and stops it at the end. For tests: `up` has its own supervisor."""
    with log.open("wb") as output:
        process = subprocess.Popen(service.prepare(), cwd="/", stdout=output, stderr=output, start_new_session=True)
    try:
        _wait_until_ready(service, process, log)
        yield service.url
    finally:
        process.send_signal(service.stop_signal)
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(service: Service, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while not service.is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{service.name} does not answer:\n{log.read_text()}")
        time.sleep(POLL_S)
