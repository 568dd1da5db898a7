"""Gives a process a wall clock that is off; `python -m tests.support.clock` installs the compiler that it takes.

It is a small library of our own, compiled where it is needed, and not libfaketime: the one of Debian 12 breaks `time.sleep`
(https://github.com/wolfcw/libfaketime/issues/426) and the waits of threads (https://github.com/wolfcw/libfaketime/pull/503) of
Python 3.11 when it is to leave the monotonic clock alone.
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.support import debian

SOURCE: Final = Path(__file__).with_name("clock.c")
PACKAGES: Final = ("gcc", "libc6-dev")
ADVICE: Final = "No C compiler for workers whose clocks are off: install the Debian packages gcc and libc6-dev."


def compiler() -> str | None:
    """Returns the C compiler, or None."""
    return shutil.which("cc") or shutil.which("gcc")


def build(folder: Path) -> Path:
    """Returns the library, which it compiles into the folder."""
    library = folder / "clock.so"
    cc = compiler()
    assert cc is not None, ADVICE
    subprocess.run([cc, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"], check=True)
    return library


def off(library: Path, seconds: float, usual: Mapping[str, str]) -> dict[str, str]:
    """Returns the `usual` environment with a clock that is off by so many seconds. The monotonic clock stays right."""
    return {**usual, "LD_PRELOAD": str(library), "CLOCK_OFF_S": f"{seconds:.0f}"}


def main() -> int:
    if compiler() is None:
        sys.stdout.write("Installing a C compiler for the clocks that are off …\n")
        sys.stdout.flush()
        debian.install(*PACKAGES)
    if compiler() is None:
        sys.stderr.write(f"{ADVICE} Their round is skipped.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
