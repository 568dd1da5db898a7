"""Folders for the data and the sockets of the services: their user can enter them, and the paths of sockets are short enough.

PostgreSQL refuses to run as root, so root runs the services as `nobody`, who must be able to enter every folder above their data
and their programs. Where the clone lies below a closed folder (root's home, for example), data and a copy of the programs
live in a folder of our own under /var/lib, with a link to it in var/. We never change the permissions of a folder that we did
not create.

Every path follows from `var_dir` and the user alone, so any process finds the services without asking another one.
"""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from django.core.exceptions import ImproperlyConfigured

SOCKET_PATH_LIMIT: Final = 107  # bytes, of sockaddr_un without the final NUL
SYSTEM_DIR: Final = Path(
    "/var/lib"
)  # for data where `var_dir` is closed to the services; survives a reboot, unlike /tmp
SHORT_DIR: Final = Path("/tmp")  # noqa: S108  # for sockets; the folders in it are private, and checked to be ours before use
UNPRIVILEGED: Final = "nobody"


def data_folder(var_dir: Path, name: str) -> Path:
    """Returns the folder for the data of service `name`, which need not exist: below `var_dir`, or below SYSTEM_DIR."""
    return data_root(var_dir) / name


def make_data_folder(var_dir: Path, name: str) -> Path:
    """Creates that folder, private to the services' user. If it is outside `var_dir`, a link in `var_dir` points to it."""
    folder = data_folder(var_dir, name)
    for parent in (var_dir, folder.parent):
        if not parent.exists():
            parent.mkdir(parents=True)
            parent.chmod(0o755)  # whatever the umask: the services' user has to enter it
    _make_private(folder)
    link = var_dir / name
    if folder != link and not link.is_symlink():
        link.symlink_to(folder)
    return folder


def socket_folder(var_dir: Path, name: str, socket_name: str) -> Path:
    """Returns the folder for the socket of service `name`: its data folder, or one in SHORT_DIR where that path is too long."""
    data = data_folder(var_dir, name)
    if len(os.fsencode(data / socket_name)) <= SOCKET_PATH_LIMIT:
        return data
    return SHORT_DIR / f"chat-{_service_user()[0]}-{_digest(var_dir)}-{name}"


def make_socket_folder(var_dir: Path, name: str, socket_name: str) -> Path:
    """Creates that folder. Raises ImproperlyConfigured if somebody else has created one of that name."""
    folder = socket_folder(var_dir, name, socket_name)
    _make_private(folder)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != _service_user()[0] or found.st_mode & 0o077:
        raise ImproperlyConfigured(f"{folder} is not a private folder of user {_service_user()[0]}: delete it.")
    return folder


@cache
def data_root(var_dir: Path) -> Path:
    """Returns `var_dir` if the services' user can enter it, else a folder of this clone in SYSTEM_DIR."""
    nearest = next(folder for folder in (var_dir, *var_dir.parents) if folder.exists())
    return var_dir if can_enter(nearest) else SYSTEM_DIR / f"durable-sessions-{_digest(var_dir)}"


def enterable(folder: Path, var_dir: Path, libraries: tuple[Path, ...] = ()) -> Path:
    """Returns `folder` with programs, or a copy of it that the services' user can enter.

    `libraries` are folders beside it that its programs load; they are copied with it.
    """
    if can_enter(folder):
        return folder
    copy = data_root(var_dir) / f"{folder.name}-{folder.stat().st_mtime_ns}"
    if not copy.exists():
        unfinished = Path(tempfile.mkdtemp(dir=data_root(var_dir)))
        unfinished.chmod(0o755)
        for each in (folder, *libraries):
            shutil.copytree(each, unfinished / each.name, symlinks=True)
        unfinished.rename(copy)
    return copy / folder.name


def can_enter(folder: Path) -> bool:
    """Returns whether the services' user may enter `folder`. The kernel decides, since it knows access control lists, too."""
    if not is_root():
        return os.access(folder, os.X_OK)
    command = [*unprivileged(), "test", "-x", str(folder)]
    return subprocess.run(command, cwd="/", check=False).returncode == 0


def delete(var_dir: Path) -> None:
    """Deletes the folders that belong to `var_dir` and lie outside it."""
    for folder in SHORT_DIR.glob(f"chat-{_service_user()[0]}-{_digest(var_dir)}-*"):
        shutil.rmtree(folder, ignore_errors=True)
    if data_root(var_dir) != var_dir:
        shutil.rmtree(data_root(var_dir), ignore_errors=True)


def unprivileged() -> list[str]:
    """Returns the beginning of a command that is to run as the services' user. Empty unless we are root."""
    if not is_root():
        return []
    user, group = _service_user()
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"]


def is_root() -> bool:
    return os.geteuid() == 0


def _service_user() -> tuple[int, int]:
    """Returns the user and group ids that the services run as: our own, but never root's."""
    if not is_root():
        return os.geteuid(), os.getegid()
    nobody = pwd.getpwnam(UNPRIVILEGED)
    return nobody.pw_uid, nobody.pw_gid


def _make_private(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir(mode=0o700)
        os.chown(folder, *_service_user())


def _digest(var_dir: Path) -> str:
    return hashlib.sha256(os.fsencode(var_dir)).hexdigest()[:12]
