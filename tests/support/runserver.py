"""`manage.py runserver`, which is daphne: what somebody who knows Django starts.

`pytest --server=daphne` plays on it the tests with the mark `daphne`. The others change the settings of a server in this process,
or look inside it.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from chatapp.launcher.embedded import launch
from tests.support.machine import ROOT, free_port, is_ready
from tests.support.waiting import START_S, until

OPTION: Final = "--server"
DAPHNE: Final = "daphne"


@contextmanager
def runserver(log: Path, environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """Starts `runserver` with DEBUG on, and yields its address, `127.0.0.1:port`, once it is ready. Stops it afterwards."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    command = [*launch.bound_to_owner(signal.SIGKILL), sys.executable, "manage.py", "runserver", "--noreload", address]
    with log.open("wb") as output:
        given = {**environment, "DEBUG": "1", "PORT": str(port)}
        process = subprocess.Popen(command, cwd=ROOT, env=given, stdout=output, stderr=output)
    try:
        until(lambda: process.poll() is not None or is_ready(port), within_s=START_S, otherwise=log.read_text)
        assert process.poll() is None, log.read_text()
        yield address
    finally:
        process.terminate()
        process.wait(START_S)
