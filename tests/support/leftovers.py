"""Temporary folders that the services' user can enter, and the removal of those that a killed test run left behind."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from chatapp.launcher.embedded import data_dirs

NAME: Final = "chat-test-"


@contextmanager
def open_folder() -> Iterator[Path]:
    """Makes a folder and removes it afterwards. pytest's `tmp_path` is closed to the user that root's services run as."""
    folder = Path(tempfile.mkdtemp(prefix=f"{NAME}{os.getpid()}-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        data_dirs.delete(folder)
        shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Deletes the folders of test runs whose process is gone; the kernel has stopped their services."""
    for folder in Path(tempfile.gettempdir()).glob(f"{NAME}*"):
        owner = folder.name.removeprefix(NAME).split("-")[0]
        if owner.isdecimal() and not Path("/proc", owner).exists():
            data_dirs.delete(folder)
            shutil.rmtree(folder, ignore_errors=True)
