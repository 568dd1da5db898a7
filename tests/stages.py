"""The stages of the suite, each a process of its own, and what came of one.

Playwright's synchronous API keeps an event loop running in the thread that the asynchronous tests need, so the browser tests
have a pytest process of their own. So have the faults, whose processes should have the machine to themselves.
"""

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from msgspec import Struct
from typing_extensions import override

from tests.support import random_input, runserver

ROOT: Final = Path(__file__).resolve().parent.parent
APART: Final = {"browser": "tests/e2e", "faults": "tests/faults"}
PYTEST: Final = (sys.executable, "-m", "pytest", "--quiet")
NODE: Final = ("node", "--test", "--test-reporter=spec", "--test-reporter-destination=stdout")
STAGES: Final = ("JavaScript", "Python", *APART)
NOT_APART: Final = tuple(f"--ignore={folder}" for folder in APART.values())
MORE: Final = {
    "sockets on daphne": (f"{runserver.OPTION}={runserver.DAPHNE}", "tests/ws"),
    "browser on daphne": (f"{runserver.OPTION}={runserver.DAPHNE}", APART["browser"]),
    "random input": (f"--hypothesis-profile={random_input.MORE}", "-m", "hypothesis", *NOT_APART),
}


class Outcome(Struct):
    """What came of a stage: `failed` has the names of the tests that failed, `status` is that of its process."""

    status: int = 0
    passed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    failed: list[str] = []

    @override
    def __str__(self) -> str:
        counts = [f"{self.passed} passed", f"{len(self.failed)} failed"]
        if self.skipped:
            counts.append(f"{self.skipped} skipped")
        return f"{', '.join(counts)} in {self.seconds:.0f} s"


def run(stage: str, *, processes: int = 4) -> Outcome:
    """Runs one of STAGES or of MORE; its tests are reported on standard output as they go. `processes`: those of "Python"."""
    sys.stdout.write(f"\n── {stage} ──\n")
    sys.stdout.flush()
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        status = subprocess.run(
            _command(stage, report, processes), cwd=ROOT, env=_environment(), check=False
        ).returncode
        outcome = _outcome(report)
    outcome.status = status
    outcome.seconds = time.monotonic() - began
    if status and not outcome.failed:
        outcome.failed.append(f"{stage} itself, with status {status}")
    return outcome


def total(outcomes: list[Outcome]) -> Outcome:
    """Adds them up. The status is the first that is not 0."""
    return Outcome(
        status=next((one.status for one in outcomes if one.status), 0),
        passed=sum(one.passed for one in outcomes),
        skipped=sum(one.skipped for one in outcomes),
        seconds=sum(one.seconds for one in outcomes),
        failed=[name for one in outcomes for name in one.failed],
    )


def _environment() -> dict[str, str]:
    """Returns ours without the name of the settings, which `chatapp` sets when it is imported.

    Where it is set, pytest-django reads the settings before tests/conftest.py has started the database they name.
    """
    return {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}


def _command(stage: str, report: Path, processes: int) -> list[str]:
    if stage == "JavaScript":
        files = sorted(str(file) for file in (ROOT / "tests" / "js").rglob("*.test.js"))  # node 20 knows no patterns
        return [*NODE, "--test-reporter=junit", f"--test-reporter-destination={report}", *files]
    chosen = MORE.get(stage) or ([APART[stage]] if stage in APART else (f"--numprocesses={processes}", *NOT_APART))
    return [*PYTEST, *chosen, f"--junit-xml={report}"]


def _outcome(report: Path) -> Outcome:
    found = Outcome()
    if not report.exists():
        return found  # the stage ended before it wrote one
    for case in ET.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            found.failed.append(f"{case.get('classname')}::{case.get('name')}")
        elif "skipped" in kinds:
            found.skipped += 1
        else:
            found.passed += 1
    return found
