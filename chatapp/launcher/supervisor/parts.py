"""The processes of one machine."""

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

ASK_TIMEOUT_S: Final = 3.0
DRAINED_S: Final = 35.0  # the sockets have 20 s to leave, requests 10 s to be answered
# Celery warns root at length at each start. On a machine of one's own that is no news, and tasks are JSON, never pickle.
ROOT_IS_MEANT: Final = "ignore:You're running the worker with superuser privileges"


class Part(msgspec.Struct, frozen=True):
    """One process: what to run (asked anew at each start), how to stop it, and when it can be used."""

    name: str
    command: Callable[[], list[str]]
    stop_signal: Signals
    is_ready: Callable[[], bool]
    folder: Path
    fds: tuple[int, ...] = ()  # inherited
    stop_within_s: float = 15.0  # then it is killed


def services(lock: int) -> list[Part]:
    """PostgreSQL and Valkey, each only where no URL names another one. They keep `lock` for as long as they live."""
    own: list[launch.Service] = []
    if not env.text("DATABASE_URL"):
        own.append(Postgres(settings.VAR_DIR))
    if not env.text("REDIS_URL"):
        own.append(Valkey(settings.VAR_DIR))
    return [Part(each.name, each.prepare, each.stop_signal, each.is_ready, Path("/"), fds=(lock,)) for each in own]


def applications(listener: int) -> list[Part]:
    """The web server on that listening socket, a worker, and with LOCAL_LLM the small model."""
    web = _ours(str(settings.BASE_DIR / "manage.py"), "web", "--fd", str(listener))
    celery = ["-W", ROOT_IS_MEANT, "-m", "celery", "--quiet", "-A", "chatapp", "worker", "--pool", "threads"]
    # Gossip and mingle are talk among workers that nothing here listens to; mingle costs a second at each start.
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    worker = _ours(*celery, "--loglevel", "INFO", *alone)
    model = _ours(str(settings.BASE_DIR / "manage.py"), "local_model")
    local = (
        [Part("model", lambda: model, Signals.SIGTERM, lambda: True, settings.BASE_DIR)] if settings.LOCAL_LLM else []
    )
    return [
        *local,
        Part(
            "web", lambda: web, Signals.SIGTERM, _answers, settings.BASE_DIR, fds=(listener,), stop_within_s=DRAINED_S
        ),
        Part("worker", lambda: worker, Signals.SIGTERM, lambda: True, settings.BASE_DIR),
    ]


def _ours(*words: str) -> list[str]:
    """A Python process that is killed with its owner: nothing that matters is in it, the log and the database have it."""
    return [*launch.bound_to_owner(Signals.SIGKILL), sys.executable, *words]


def _answers() -> bool:
    connection = HTTPConnection(urlsplit(address(settings.HOST, settings.PORT)).netloc, timeout=ASK_TIMEOUT_S)
    try:
        connection.request("GET", "/health/ready", headers={"Host": "localhost"})
        return connection.getresponse().status == 200  # noqa: PLR2004
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
