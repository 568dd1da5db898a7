"""A small file system for the database, so that its disk can be full. Only root can mount one: others get a plain folder."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from chatapp.launcher.embedded import data_dirs

SIZE_MIB: Final = 400
LEFT: Final = "chat-test-"  # begins the names of mounts that killed test runs left behind


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    folder.chmod(0o755)
    if not data_dirs.is_root():
        yield folder
        return
    _forget_old()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m,mode=0755", "tmpfs", str(folder)]
    # Not every container's root may mount.
    mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0
    try:
        yield folder
    finally:
        if mounted:
            _unmount(str(folder))


def is_small(folder: Path) -> bool:
    """Returns whether the folder is a file system of its own."""
    return folder.is_mount()


def _forget_old() -> None:
    for line in Path("/proc/mounts").read_text().splitlines():
        place = line.split()[1]
        owner = place.partition(LEFT)[2].split("-")[0]
        if owner.isdecimal() and not Path("/proc", owner).exists():
            _unmount(place)


def _unmount(place: str) -> None:
    subprocess.run(["umount", "--lazy", place], check=False)
