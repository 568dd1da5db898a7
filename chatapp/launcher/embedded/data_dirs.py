"""Where a service keeps its data and its socket: folders that its user can reach, and socket paths that are short enough.

PostgreSQL refuses to run as root, so root runs it as `nobody`, who must be able to enter every folder above its data and
its programs. Permissions of what we did not make are never changed: where the clone lies below a closed folder (root's
home, say), data and a copy of the programs live in a folder of our own under /var/lib, with a link to it in var/.

Every place follows from `var_dir` and the user alone, so that any process finds the services without asking anyone.
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

SOCKET_PATH_LIMIT: Final = 107  # bytes, of sockaddr_un, without its closing NUL
ELSEWHERE: Final = Path("/var/lib")  # survives a restart of the machine, unlike /tmp
SHORT: Final = Path("/tmp")  # noqa: S108 - what we make there is private, and checked to be ours before use
UNPRIVILEGED: Final = "nobody"


def data_folder(var_dir: Path, name: str) -> Path:
    """Where the data of service `name` lies: under var/, or, if its user can't go there, elsewhere."""
    return home(var_dir) / name


def make_data_folder(var_dir: Path, name: str) -> Path:
    """The same, and it exists: private to the user that services run as, with a link from var/ where it lies elsewhere."""
    folder = data_folder(var_dir, name)
    for parent in (var_dir, folder.parent):
        if not parent.exists():
            parent.mkdir(parents=True)
            parent.chmod(0o755)  # whatever the umask says: the service's user has to pass
    _make_private(folder)
    link = var_dir / name
    if folder != link and not link.is_symlink():
        link.symlink_to(folder)
    return folder


def socket_folder(var_dir: Path, name: str, socket_name: str) -> Path:
    """Where the socket of service `name` lies: beside its data, or in a short place where that path is too long."""
    data = data_folder(var_dir, name)
    if len(os.fsencode(data / socket_name)) <= SOCKET_PATH_LIMIT:
        return data
    return SHORT / f"chat-{_service_user()[0]}-{_digest(var_dir)}-{name}"


def make_socket_folder(var_dir: Path, name: str, socket_name: str) -> Path:
    """The same, and it exists. Raises ImproperlyConfigured if somebody else made a folder of that name before us."""
    folder = socket_folder(var_dir, name, socket_name)
    _make_private(folder)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != _service_user()[0] or found.st_mode & 0o077:
        raise ImproperlyConfigured(f"{folder} is not a private folder of user {_service_user()[0]}: delete it.")
    return folder


@cache
def home(var_dir: Path) -> Path:
    """`var_dir` if the user of the services can enter it, else a folder of this clone's own."""
    nearest = next(folder for folder in (var_dir, *var_dir.parents) if folder.exists())
    return var_dir if can_reach(nearest) else ELSEWHERE / f"durable-sessions-{_digest(var_dir)}"


def programs(folder: Path, var_dir: Path, beside: tuple[Path, ...] = ()) -> Path:
    """`folder`, or a copy of it (and of the folders `beside` it that it loads libraries from) that can be reached."""
    if can_reach(folder):
        return folder
    copy = home(var_dir) / f"{folder.name}-{folder.stat().st_mtime_ns}"
    if not copy.exists():
        making = Path(tempfile.mkdtemp(dir=home(var_dir)))
        making.chmod(0o755)
        for each in (folder, *beside):
            shutil.copytree(each, making / each.name, symlinks=True)
        making.rename(copy)
    return copy / folder.name


def can_reach(folder: Path) -> bool:
    """May the user that services run as enter `folder`? Asked of the kernel, which knows access lists, too."""
    if not is_root():
        return os.access(folder, os.X_OK)
    question = [*unprivileged(), "test", "-x", str(folder)]
    return subprocess.run(question, cwd="/", check=False).returncode == 0


def forget(var_dir: Path) -> None:
    """Deletes what lies outside `var_dir` on its behalf; for temporary ones and for `make clean`."""
    for folder in SHORT.glob(f"chat-{_service_user()[0]}-{_digest(var_dir)}-*"):
        shutil.rmtree(folder, ignore_errors=True)
    if home(var_dir) != var_dir:
        shutil.rmtree(home(var_dir), ignore_errors=True)


def unprivileged() -> list[str]:
    """The beginning of a command that is to run as the services' user. Nothing where we are no root ourselves."""
    if not is_root():
        return []
    user, group = _service_user()
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"]


def is_root() -> bool:
    return os.geteuid() == 0


def _service_user() -> tuple[int, int]:
    """User and group that the services run as: our own, but never root."""
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
