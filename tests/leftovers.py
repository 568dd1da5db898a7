"""Folders of test runs that were killed before they could tidy up."""

import os
import shutil
import tempfile
from pathlib import Path

from chatapp.services import homes

_NAME = "chat-test-"
PREFIX = f"{_NAME}{os.getpid()}-"


def sweep() -> None:
    """Deletes the folders of test runs whose process is gone; the kernel has stopped their services."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_NAME}*"):
        owner = folder.name.removeprefix(_NAME).split("-")[0]
        if owner.isdecimal() and not Path("/proc", owner).exists():
            homes.forget(folder)
            shutil.rmtree(folder, ignore_errors=True)
