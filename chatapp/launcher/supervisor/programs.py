"""The programs of one machine: PostgreSQL, Valkey, the web server, a worker, and a small model."""

import sys
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from signal import Signals
from typing import Final
from urllib.parse import urlsplit

import msgspec
from django.conf import settings

from chatapp import env
from chatapp.launcher.embedded import launch
from chatapp.launcher.embedded.postgres import Postgres
from chatapp.launcher.embedded.valkey import Valkey
from chatapp.launcher.listener import address

READY_TIMEOUT_S: Final = 3.0  # of one request to /health/ready
DRAIN_S: Final = 35.0  # 20 s until the sockets have left, then 10 s for requests
# Celery prints a long warning when root starts a worker. Its danger is pickle, and our tasks are JSON.
NO_ROOT_WARNING: Final = "ignore:You're running the worker with superuser privileges"


class Program(msgspec.Struct, frozen=True):
    """One program to keep running. `command` is called at each start; `fds` are file descriptors that it inherits."""

    name: str
    command: Callable[[], list[str]]
    stop_signal: Signals
    is_ready: Callable[[], bool]
    folder: Path
    fds: tuple[int, ...] = ()
    stop_within_s: float = 15.0  # then it is killed


def services(lock: int) -> list[Program]:
    """Returns PostgreSQL unless DATABASE_URL is set, and Valkey unless REDIS_URL is. Both inherit the file descriptor `lock`."""
    embedded: list[launch.Service] = []
    if not env.text("DATABASE_URL"):
        embedded.append(Postgres(settings.VAR_DIR))
    if not env.text("REDIS_URL"):
        embedded.append(Valkey(settings.VAR_DIR))
    return [
        Program(service.name, service.prepare, service.stop_signal, service.is_ready, Path("/"), fds=(lock,))
        for service in embedded
    ]


def applications(listener: int) -> list[Program]:
    """Returns the web server on the listening socket, a worker, and with LOCAL_LLM the small model."""
    return [*([_model()] if settings.LOCAL_LLM else []), _web(listener), _worker()]


def _web(listener: int) -> Program:
    command = _python(str(settings.BASE_DIR / "manage.py"), "web", "--fd", str(listener))
    return Program(
        "web",
        lambda: command,
        Signals.SIGTERM,
        _is_web_ready,
        settings.BASE_DIR,
        fds=(listener,),
        stop_within_s=DRAIN_S,
    )


def _worker() -> Program:
    celery = ("-W", NO_ROOT_WARNING, "-m", "celery", "--quiet", "-A", "chatapp", "worker", "--pool", "threads")
    # Gossip and mingle exchange messages among workers that nothing here reads. Mingle takes a second at each start.
    options = ("--loglevel", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat")
    command = _python(*celery, *options)
    return Program("worker", lambda: command, Signals.SIGTERM, lambda: True, settings.BASE_DIR)


def _model() -> Program:
    command = _python(str(settings.BASE_DIR / "manage.py"), "local_model")
    return Program("model", lambda: command, Signals.SIGTERM, lambda: True, settings.BASE_DIR)


def _python(*arguments: str) -> list[str]:
    """Returns the command of a Python process that the kernel kills when `up` dies. It holds nothing that would be lost."""
    return [*launch.bound_to_owner(Signals.SIGKILL), sys.executable, *arguments]


def _is_web_ready() -> bool:
    netloc = urlsplit(address(settings.HOST, settings.PORT)).netloc
    connection = HTTPConnection(netloc, timeout=READY_TIMEOUT_S)
    try:
        connection.request("GET", "/health/ready", headers={"Host": "localhost"})
        return connection.getresponse().status == 200  # noqa: PLR2004
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
