"""A lock that allows one `up` for each VAR_DIR.

The services inherit the lock, so it is free only when the last of them has ended. An `up` that follows a killed one waits for
the old PostgreSQL to end, instead of starting a second one on the same data.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.core.management.base import CommandError

WAIT_S: Final = 20.0  # for the services of an `up` that was killed
POLL_S: Final = 0.05


@contextmanager
def locked(var_dir: Path) -> Iterator[int]:
    """Holds the lock and yields its file descriptor, to be inherited. Raises CommandError while another `up` runs."""
    var_dir.mkdir(parents=True, exist_ok=True)
    with (var_dir / "up.lock").open("a+") as file:
        _acquire(file.fileno(), var_dir)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield file.fileno()


def _acquire(fd: int, var_dir: Path) -> None:
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = (var_dir / "up.lock").read_text().strip()
            if holder and Path("/proc", holder).exists():
                raise CommandError(f"It runs already, as process {holder}, with the data in {var_dir}.") from None
            if time.monotonic() > deadline:
                raise CommandError(f"Something that an earlier start left behind still uses {var_dir}.") from None
            time.sleep(POLL_S)
        else:
            return
