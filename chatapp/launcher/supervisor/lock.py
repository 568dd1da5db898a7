"""One `up` for one var/.

The services inherit the lock: it is free again only when the last of them is gone. So an `up` that follows one that was
killed waits for its PostgreSQL to finish, instead of starting a second one on the same data.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.core.management.base import CommandError

WAIT_S: Final = 20.0  # for what a killed `up` left behind
ASK_EVERY_S: Final = 0.05


@contextmanager
def locked(var_dir: Path) -> Iterator[int]:
    """Holds the lock and gives its file descriptor, to be inherited. Raises CommandError while another `up` is alive."""
    var_dir.mkdir(parents=True, exist_ok=True)
    with (var_dir / "up.lock").open("a+") as file:
        _take(file.fileno(), var_dir)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield file.fileno()


def _take(fd: int, var_dir: Path) -> None:
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
            time.sleep(ASK_EVERY_S)
        else:
            return
