"""`make test`: every test there is. The last line counts all of them.

Browser tests have a pytest process of their own: Playwright's synchronous API keeps an event loop running in the thread
that the asynchronous tests need. So have the faults: their processes should have the machine to themselves.
"""

import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
APART: Final = {"browser": "tests/e2e", "faults": "tests/faults"}


def _stages() -> dict[str, list[str]]:
    pytest = [sys.executable, "-m", "pytest", "--quiet"]
    return {
        "JavaScript": ["node", "--test", "--test-reporter=spec", "--test-reporter-destination=stdout"],
        "Python": [*pytest, *(f"--ignore={folder}" for folder in APART.values())],
        **{name: [*pytest, folder] for name, folder in APART.items()},
    }


def _run(name: str, command: list[str], report: Path) -> tuple[int, dict[str, int]]:
    """The status of a stage, and how many of its tests passed, failed, were skipped."""
    sys.stdout.write(f"\n── {name} ──\n")
    sys.stdout.flush()
    if command[0] == "node":
        files = sorted(str(file) for file in (ROOT / "tests" / "js").rglob("*.test.js"))  # node 20 knows no patterns
        command = [*command, "--test-reporter=junit", f"--test-reporter-destination={report}", *files]
    else:
        command = [*command, f"--junit-xml={report}"]
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    counts = _counts(report)
    if status and not counts["failed"]:
        counts["failed"] = 1  # the stage itself
    return status, counts


def _counts(report: Path) -> dict[str, int]:
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    if not report.exists():
        return counts  # it did not come so far as to write one
    for case in ET.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        counts["failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"] += 1
    return counts


def main() -> int:
    began = time.monotonic()
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    worst = 0
    with TemporaryDirectory() as folder:
        for name, command in _stages().items():
            status, counts = _run(name, command, Path(folder, f"{name}.xml"))
            worst = worst or status
            totals = {kind: totals[kind] + counts[kind] for kind in totals}
    summary = ", ".join(f"{count} {kind}" for kind, count in totals.items() if count or kind != "skipped")
    sys.stdout.write(f"\n{summary} in {time.monotonic() - began:.0f} s\n")
    return worst


if __name__ == "__main__":
    sys.exit(main())
