"""Folders that a service's user can reach, and sockets whose path is short enough.

PostgreSQL refuses to run as root, so root runs it as `nobody`, who must be able to enter every folder above its data and
its programs. Permissions of what we did not make are never changed: where the clone lies below a closed folder (root's
home, say), data and a copy of the programs live in a folder of our own under /var/lib, with a link to it in var/.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

SOCKET_PATH_LIMIT: Final = 107  # bytes, of sockaddr_un, without its closing NUL
ELSEWHERE: Final = Path("/var/lib")
UNPRIVILEGED: Final = "nobody"


def is_root() -> bool:
    return os.geteuid() == 0


def data_folder(var_dir: Path, name: str) -> Path:
    """An existing folder for the data of service `name`, private to the user it runs as; under var/, or linked from there."""
    var_dir.mkdir(parents=True, exist_ok=True)
    home = open_home(var_dir)
    folder = home / name
    link = var_dir / name
    if not folder.exists():
        folder.mkdir(mode=0o700)
        give(folder)
    if home != var_dir and not link.is_symlink():
        link.symlink_to(folder)
    return folder


def open_home(var_dir: Path) -> Path:
    """`var_dir` if the service's user can enter it, else a folder of this clone's own elsewhere, the same at each call."""
    if can_reach(var_dir):
        return var_dir
    digest = hashlib.sha256(str(var_dir).encode()).hexdigest()[:12]
    home = ELSEWHERE / f"durable-sessions-{digest}"
    if not home.exists():
        home.mkdir()
        home.chmod(0o755)  # whatever the umask says
    return home


def programs(folder: Path, var_dir: Path, beside: tuple[Path, ...] = ()) -> Path:
    """`folder`, or a copy of it (and of the folders `beside` it that it loads libraries from) that can be reached."""
    if can_reach(folder):
        return folder
    home = open_home(var_dir) / f"{folder.name}-{folder.stat().st_mtime_ns}"
    if not home.exists():
        making = Path(tempfile.mkdtemp(dir=home.parent))
        making.chmod(0o755)
        for each in (folder, *beside):
            shutil.copytree(each, making / each.name, symlinks=True)
        making.rename(home)
    return home / folder.name


def can_reach(folder: Path) -> bool:
    """May the user that services run as enter `folder`? Asked of the kernel, which knows access lists, too."""
    if not is_root():
        return os.access(folder, os.X_OK)
    question = [*unprivileged(), "test", "-x", str(folder)]
    return subprocess.run(question, cwd="/", check=False).returncode == 0


def socket_folder(data: Path, var_dir: Path, socket_name: str) -> Path:
    """Where the socket goes: the data folder, or, where that path is too long for a socket, a short one, recorded in var/."""
    if len(os.fsencode(data / socket_name)) <= SOCKET_PATH_LIMIT:
        return data
    note = var_dir / f"{data.name}.socket-folder"
    if note.exists() and (folder := Path(note.read_text())).is_dir():
        return folder
    folder = Path(tempfile.mkdtemp(prefix="chat-", dir="/tmp"))  # noqa: S108 - mkdtemp makes it private; only /tmp is short
    give(folder)
    note.write_text(str(folder))
    return folder


def forget(var_dir: Path) -> None:
    """Deletes what lies outside `var_dir` on its behalf; for temporary ones and for `make clean`."""
    for note in var_dir.glob("*.socket-folder"):
        shutil.rmtree(note.read_text(), ignore_errors=True)
        note.unlink()
    if var_dir.is_dir() and (home := open_home(var_dir)) != var_dir:
        shutil.rmtree(home, ignore_errors=True)


def give(folder: Path) -> None:
    """Makes a folder that we made belong to the user that services run as."""
    if is_root():
        nobody = pwd.getpwnam(UNPRIVILEGED)
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)


def unprivileged() -> list[str]:
    """The beginning of a command that is to run as the service's user. Nothing where we are no root ourselves."""
    if not is_root():
        return []
    nobody = pwd.getpwnam(UNPRIVILEGED)
    return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
