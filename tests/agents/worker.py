"""A real Celery worker in a process of its own, on the test's database."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.db import connection

from tests.support.waiting import START_S, until

ROOT: Final = Path(__file__).parents[2]


class WorkerProcess:
    """Started and ready when it is made. `output` is what it has logged."""

    def __init__(self, **environment: str) -> None:
        self._output = tempfile.TemporaryFile("w+b")  # noqa: SIM115  # lives as long as the worker
        command = [sys.executable, "-m", "celery", "-A", "chatapp", "worker", "--loglevel", "INFO"]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        variables = {**os.environ, "DATABASE_URL": database_url(), **environment}
        self.process = subprocess.Popen(
            [*command, *quiet], cwd=ROOT, env=variables, stdout=self._output, stderr=subprocess.STDOUT
        )
        until(lambda: " ready." in self.output or self.process.poll() is not None, within_s=START_S)
        assert self.process.poll() is None, self.output

    @property
    def output(self) -> str:
        self._output.seek(0)
        return self._output.read().decode()

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def terminate(self) -> None:
        """SIGTERM; returns at once."""
        self.process.terminate()

    def end(self) -> None:
        """Kills it if it still runs, and frees what it used."""
        if self.process.poll() is None:
            self.kill()
        self._output.close()


def database_url() -> str:
    """Returns the address of the database that this test writes to."""
    address = urlsplit(os.environ["DATABASE_URL"])
    return address._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
