"""`make test-busy`: shows that no test depends on how fast the machine is.

The browser tests run three times and the fast tests once beside LOAD processes that never rest; then the whole suite runs
alone. It takes the better part of an hour.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from chatapp.launcher.embedded import launch
from tests.stages import STAGES, Outcome, run, total

LOAD: Final = 20
PROCESSES: Final = 8  # of the fast tests: each gets a fourteenth of a core
BUSY: Final = ("browser", "browser", "browser", "JavaScript", "Python")


@contextmanager
def load(count: int) -> Iterator[None]:
    """Keeps so many processes busy. The kernel kills them if this process dies first."""
    command = [*launch.bound_to_owner(signal.SIGKILL), sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(command) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


def main() -> int:
    rounds: list[tuple[str, Outcome]] = []
    with load(LOAD):
        rounds += [(f"{stage}, busy", run(stage, processes=PROCESSES)) for stage in BUSY]
    rounds += [(f"{stage}, alone", run(stage)) for stage in STAGES]
    sys.stdout.write(f"\nBusy: beside {LOAD} processes that never rest.\n")
    for name, outcome in rounds:
        sys.stdout.write(f"{name:18} {outcome}\n")
        sys.stdout.writelines(f"{'':18} FAILED {test}\n" for test in outcome.failed)
    return total([outcome for _, outcome in rounds]).status


if __name__ == "__main__":
    sys.exit(main())
