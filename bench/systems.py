"""The systems that are compared: ours and its peers, each with a server process of its own on the same machine."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import psutil
from typing_extensions import override

from chatapp.launcher.embedded.addresses import database_url, redis_url
from tests.support.machine import Machine, free_port
from tests.support.waiting import until

HERE: Final = Path(__file__).resolve().parent
PAD: Final = "x" * 240  # bytes that make the peers' frames as large as ours
NODE: Final = "node"
SETTINGS: Final = "bench.settings"
PEERS_VENV: Final = HERE.parent / ".venv-bench"  # of peers in Python that the project does not need
JETSTREAM: Final = "nats-server"  # the Debian package of this name has it


class System(Protocol):
    """One of them. `server` is the process whose CPU and memory are measured."""

    name: str
    server: psutil.Process

    def open(self, streams: int) -> dict[str, Any]:
        """Makes `streams` streams. Returns the part of the plan that readers and publishers need to use them."""
        ...

    def publisher(self) -> list[str]:
        """Returns the command that publishes; it takes the plan as its last argument."""
        ...


class Ours:
    name = "ours"

    def __init__(self, machine: Machine, *, kind: str = "delta") -> None:
        self._machine = machine
        self._kind = kind
        self.server = psutil.Process(machine.pid("web"))

    def open(self, streams: int) -> dict[str, Any]:
        made = _claims(self._machine, streams)
        return {**self.wire(made), "claims": made, "kind": self._kind}

    def wire(self, made: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Returns what readers need to follow Sessions, given with their heads."""
        return {
            "system": "ours",
            "url": f"ws://127.0.0.1:{self._machine.port}/ws/",
            "token": self._machine.manage("issue_token", "bench", "--create").stdout.split()[-1],
            "streams": [one["session"] for one in made],
            "cursors": {one["session"]: one["head"] for one in made},
        }

    def publisher(self) -> list[str]:
        return [sys.executable, "-m", "bench.load.publisher"]


class _Peer:
    """Another project's server, which runs during the measure only."""

    def __init__(self, process: subprocess.Popen[bytes], system: str, url: str, **more: str) -> None:
        self.name = system
        self.server = psutil.Process(process.pid)
        self._wire = {"system": system, "url": url, "pad": PAD, **more}

    def open(self, streams: int) -> dict[str, Any]:
        return {**self._wire, "streams": [uuid4().hex for _ in range(streams)]}

    def publisher(self) -> list[str]:
        if self.name in {"channels", "floor"}:
            return [sys.executable, "-m", "bench.load.publisher"]
        return [NODE, str(HERE / "load/publisher.mjs")]


class PlainCelery(_Peer):
    """Plain Celery tasks: a web server and a worker. `worker` is the process whose CPU and memory are measured."""

    def __init__(self, web: subprocess.Popen[bytes], worker: subprocess.Popen[bytes], url: str) -> None:
        super().__init__(web, "channels", url)  # its frames have the form of that peer's
        self.name = "plain Celery"
        self.worker = psutil.Process(worker.pid)

    def start(self, machine: Machine, streams: Sequence[str], plan: Mapping[str, Any]) -> None:
        """Starts a task for each stream."""
        command = [sys.executable, "-m", "bench.peers.plain_celery", "start", json.dumps([*streams]), json.dumps(plan)]
        subprocess.run(command, env=environment(machine), check=True)


class _Durable(_Peer):
    @override
    def open(self, streams: int) -> dict[str, Any]:
        made = super().open(streams)
        for stream in made["streams"]:
            command = ["curl", "-fsS", "-X", "PUT", "-H", "Content-Type: application/json", f"{made['url']}/{stream}"]
            subprocess.run(command, check=True, capture_output=True)
        return {**made, "offset": "-1"}


@contextmanager
def channels(machine: Machine) -> Iterator[System]:
    port = free_port()
    with _started(machine, port, sys.executable, "-m", "bench.peers.channels", str(port)) as process:
        yield _Peer(process, "channels", f"ws://127.0.0.1:{port}/")


@contextmanager
def plain_celery(machine: Machine) -> Iterator[PlainCelery]:
    """Celery's tasks on threads: with a process each, a worker of this machine's memory would have no hundred of them."""
    port, module = free_port(), "bench.peers.plain_celery"
    options = (
        "--pool",
        "threads",
        "--concurrency",
        "400",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
    )
    with (
        _started(machine, port, sys.executable, "-m", module, str(port)) as web,
        started(machine, sys.executable, "-m", "celery", "--quiet", "-A", module, "worker", *options) as worker,
    ):
        yield PlainCelery(web, worker, f"ws://127.0.0.1:{port}/")


@contextmanager
def floor(machine: Machine) -> Iterator[System]:
    port = free_port()
    with _started(machine, port, sys.executable, "-m", "bench.peers.floor", str(port)) as process:
        yield _Peer(process, "floor", f"ws://127.0.0.1:{port}/")


@contextmanager
def jetstream(machine: Machine) -> Iterator[System]:
    port, folder = free_port(), machine.folder / "jetstream"
    command = (JETSTREAM, "--jetstream", "--store_dir", str(folder), "--addr", "127.0.0.1", "--port", str(port))
    with _started(machine, port, *command) as process:
        yield _Peer(process, "jetstream", f"127.0.0.1:{port}")


@contextmanager
def socketio(machine: Machine) -> Iterator[System]:
    port, redis = free_port(), valkey(machine).removeprefix("unix://")
    with _started(machine, port, NODE, str(HERE / "peers/socketio.mjs"), str(port), redis) as process:
        yield _Peer(process, "socketio", f"ws://127.0.0.1:{port}", redis=redis)


@contextmanager
def durable(machine: Machine) -> Iterator[System]:
    port, folder = free_port(), machine.folder / "durable"
    with _started(machine, port, NODE, str(HERE / "peers/durable.mjs"), str(port), str(folder)) as process:
        yield _Durable(process, "durable", f"http://127.0.0.1:{port}/v1/stream")


def valkey(machine: Machine) -> str:
    """Returns the address of the machine's Valkey, a unix:// URL."""
    return redis_url(machine.folder)


def environment(machine: Machine) -> dict[str, str]:
    """Returns the environment for processes of ours and for peers in Python."""
    return {**machine.environment, "DJANGO_SETTINGS_MODULE": SETTINGS, "REDIS_URL": valkey(machine)}


def dbos(machine: Machine, act: str, *arguments: int) -> dict[str, list[Any]]:
    """Lets DBOS act, on the same PostgreSQL; returns what it has found, for each of its forms."""
    folder = unquote(urlsplit(database_url(machine.folder)).netloc.rpartition("@")[2])
    url = f"postgresql+psycopg://chat@/dbos?host={folder}"
    command = [str(PEERS_VENV / "bin/python"), "-m", "bench.peers.dbos_workflows", act, url, *map(str, arguments)]
    done = subprocess.run(command, env=environment(machine), check=True, stdout=subprocess.PIPE)
    found: dict[str, list[Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _claims(machine: Machine, count: int) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "bench.load.claims", str(count)]
    done = subprocess.run(command, env=environment(machine), check=True, stdout=subprocess.PIPE)
    made: list[dict[str, Any]] = json.loads(done.stdout)
    return made


@contextmanager
def started(machine: Machine, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a process as long as the block lasts."""
    with subprocess.Popen(
        command, env=environment(machine), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def _started(machine: Machine, port: int, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    with started(machine, *command) as process:
        until(lambda: process.poll() is not None or _listens(port), within_s=20)
        yield process


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
