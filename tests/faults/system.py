"""Real processes with a proxy on every path between them, so that each path can fail by itself.

clients -front-> web -web_database-> PostgreSQL        worker -worker_databases-> PostgreSQL
                 web -web_valkey---> Valkey            worker -worker_valkey---> Valkey
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

import msgspec
import psycopg
import redis

from chatapp.launcher.embedded import data_dirs
from chatapp.launcher.embedded.launch import Service
from chatapp.launcher.embedded.postgres import Postgres
from chatapp.launcher.embedded.valkey import Valkey
from sessions_core.protocol.ids import SessionId
from tests.faults import stale_writes
from tests.faults.lossy import FILE, Weather
from tests.faults.processes import ROOT, Process, python
from tests.faults.small_disk import small_disk
from tests.support.machine import free_port, is_ready
from tests.support.proxy import Proxy
from tests.support.scripts import allow

WORKER: Final = ("-m", "celery", "--quiet", "-A", "chatapp", "worker", "--pool", "threads", "--loglevel", "INFO")
QUIET: Final = ("--without-gossip", "--without-mingle", "--without-heartbeat")
# Small write-ahead logs, so that the disk can be filled; and the database itself counts the reads of the log.
POSTGRES: Final = (
    "--shared_preload_libraries=pg_stat_statements",
    "--max_wal_size=64MB",
    "--min_wal_size=32MB",
)
PEOPLE: Final = 20
MODEL_KEY: Final = "sk-secret"
IMPATIENT_S: Final = 2  # of silence, then the second worker gives a model up
READS: Final = "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements WHERE query LIKE '%LATERAL%event%seq >%'"


class Person(msgspec.Struct, frozen=True):
    """A user, with a bearer token."""

    id: int
    token: str


class System:
    """All processes and proxies. `mend` heals whatever a fault broke."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.provider_port = free_port()  # of the model's provider, which a test starts if it needs one
        data = stack.enter_context(small_disk(folder / "disk"))
        stack.callback(data_dirs.delete, data)
        postgres, valkey = Postgres(data), Valkey(folder, durable=False)
        self.database_url = postgres.url
        self.redis_url = valkey.url
        self.disk = data
        self.postgres = self._service(postgres, *POSTGRES)
        self.valkey = self._service(valkey)
        database, broker = _socket(postgres.url, ".s.PGSQL.5432"), urlsplit(valkey.url).path
        self.web_database = Proxy(database)
        self.worker_databases = [Proxy(database), Proxy(database)]
        self.web_valkey, self.worker_valkey = Proxy(broker), Proxy(broker)
        self.webs = [self._web(n) for n in range(2)]
        self.workers = [self._worker(n) for n in range(2)]
        self.front = Proxy(("127.0.0.1", int(self.web.environment["PORT"])))
        for proxy in self.proxies:
            stack.enter_context(proxy)
        for process in self.processes:
            stack.callback(process.end)

    @property
    def web(self) -> Process:
        """The web process that always runs; a test starts the second if it needs it."""
        return self.webs[0]

    @property
    def worker(self) -> Process:
        return self.workers[0]

    @property
    def processes(self) -> list[Process]:
        return [self.postgres, self.valkey, *self.webs, *self.workers]

    @property
    def proxies(self) -> list[Proxy]:
        return [self.web_database, *self.worker_databases, self.web_valkey, self.worker_valkey, self.front]

    @property
    def url(self) -> str:
        """The address at which clients connect."""
        return f"ws://127.0.0.1:{self.front.port}/ws/"

    @property
    def web_address(self) -> str:
        """`host:port` of the web server, past the proxy."""
        return f"127.0.0.1:{self.web.environment['PORT']}"

    def start(self) -> list[Person]:
        """Starts everything; returns the people who take part."""
        for service in (self.postgres, self.valkey):
            service.start()
            service.wait_until_ready()
        with self.connect() as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        self._run("manage.py", "migrate", "--verbosity", "0")
        with self.connect() as connection:
            stale_writes.watch(connection)
        people = msgspec.json.decode(self._run("-m", "tests.faults.people", str(PEOPLE)), type=list[Person])
        for process in (self.web, self.worker):
            process.start()
        for process in (self.web, self.worker):
            process.wait_until_ready()
        return people

    def mend(self) -> None:
        """Heals every path and starts every process that a fault stopped, but the spare ones."""
        self.weather(Weather())
        self.make_room()
        for proxy in self.proxies:
            proxy.heal()
        self.front.upstream = ("127.0.0.1", int(self.web.environment["PORT"]))
        for process in (self.postgres, self.valkey, self.web, self.worker):
            if process.is_running:
                process.go_on()
            else:
                process.start()
            process.wait_until_ready()

    def spare(self, process: Process, *, wanted: bool) -> None:
        """Starts a second web process or worker and waits until it is ready; when it is not `wanted`, ends it."""
        if not wanted:
            process.end()
            return
        if process.is_running:
            process.go_on()
        else:
            process.start()
        process.wait_until_ready()

    def make_room(self) -> None:
        """Frees the database's disk."""
        (self.disk / "filler").unlink(missing_ok=True)

    def allow(self, session: str, words: int) -> None:
        """Lets the scripts of the Session that wait go on, up to so many words."""
        allow(self.folder, SessionId(UUID(session)), words)

    def weather(self, weather: Weather) -> None:
        """Sets what becomes of hints from now on."""
        new = self.folder / f"{FILE}.new"
        new.write_bytes(msgspec.json.encode(weather))
        new.replace(self.folder / FILE)

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        """Connects to the database, past every proxy."""
        return psycopg.connect(self.database_url, autocommit=True)

    def valkey_client(self) -> redis.Redis:
        """Returns a client of Valkey, past every proxy."""
        return redis.Redis.from_url(self.redis_url, socket_timeout=5)

    def reads(self) -> int:
        """Returns how often the log was read since PostgreSQL started."""
        with self.connect() as connection:
            row = connection.execute(READS).fetchone()
        assert row is not None
        return int(str(row[0]))

    def shell(self, statements: str) -> str:
        """Runs Python statements in a process with the product's settings; returns what they print."""
        return self._run("manage.py", "shell", "--no-imports", "-c", statements).decode()

    def manage(self, *words: str) -> str:
        """Runs `manage.py …`; returns what it prints."""
        return self._run("manage.py", *words).decode()

    def _service(self, service: Service, *more: str) -> Process:
        command = [*service.prepare(), *more]
        log = self.folder / f"{service.name}.log"
        return Process(service.name, command, is_ready=service.is_ready, log=log, stop=service.stop_signal)

    def _web(self, n: int) -> Process:
        port = free_port()
        environment = self._environment(self.web_database, self.web_valkey, PORT=str(port))
        log = self.folder / f"web{n}.log"
        command = python("manage.py", "web")
        return Process(f"web{n}", command, is_ready=lambda: is_ready(port), log=log, environment=environment)

    def _worker(self, n: int) -> Process:
        silence = {"MODEL_SECONDS": str(IMPATIENT_S)} if n else {}
        environment = self._environment(self.worker_databases[n], self.worker_valkey, **silence)
        log = self.folder / f"worker{n}.log"
        command = python("-W", "ignore", *WORKER, *QUIET)
        return Process(f"worker{n}", command, is_ready=" ready.", log=log, environment=environment)

    def _environment(self, database: Proxy, broker: Proxy, **more: str) -> dict[str, str]:
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "PYTHONPATH": str(ROOT),
            "VAR_DIR": str(self.folder),
            "HOST": "127.0.0.1",
            "DATABASE_URL": f"postgresql://chat@127.0.0.1:{database.port}/chat",
            "REDIS_URL": f"redis://127.0.0.1:{broker.port}/0",
            "SCRIPT_AGENT": "1",
            "COMPACT_AFTER_S": "3600",  # the tests compact when they want to
            "CHAT_MODEL": "fake",
            "CHAT_MODEL_URL": f"http://127.0.0.1:{self.provider_port}/v1",
            "CHAT_MODEL_KEY": MODEL_KEY,
            **more,
        }

    def _run(self, *words: str) -> bytes:
        done = subprocess.run(python(*words), env=self.web.environment, cwd=ROOT, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


@contextmanager
def system(folder: Path) -> Iterator[System]:
    with ExitStack() as stack:
        yield System(folder, stack)


def _socket(url: str, name: str) -> str:
    """Returns the path of PostgreSQL's socket: its folder stands where other URLs have the host."""
    return f"{unquote(urlsplit(url).netloc.rpartition('@')[2])}/{name}"
