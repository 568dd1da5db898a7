"""One service, running for as long as its owner does."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import Signals
from typing import Final, Protocol

from django.core.exceptions import ImproperlyConfigured

READY_WITHIN_S: Final = 60.0  # recovery after a crash reads the write-ahead log again
ASK_EVERY_S: Final = 0.02
STOP_WITHIN_S: Final = 20.0


class Service(Protocol):
    """What `manage.py up` and the tests need to know of PostgreSQL or Valkey."""

    name: str
    stop_signal: Signals

    @property
    def url(self) -> str: ...
    def prepare(self) -> list[str]:
        """Makes the data if there is none yet; the command that serves it, in the foreground."""
        ...

    def is_ready(self) -> bool: ...


def bound_to_owner(stop: Signals) -> list[str]:
    """The beginning of a command that gets signal `stop` from the kernel when whoever started it is gone, killed or not."""
    if shutil.which("setpriv") is None:
        raise ImproperlyConfigured("setpriv is missing: install the Debian package util-linux.")
    return ["setpriv", "--pdeathsig", stop.name.removeprefix("SIG")]


@contextmanager
def running(service: Service, log: Path) -> Iterator[str]:
    """Starts `service`, gives its URL once it answers, and stops it at the end. For tests; `up` has its own supervisor."""
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
        time.sleep(ASK_EVERY_S)
