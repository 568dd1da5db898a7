"""URLs of the services that `manage.py up` starts, whether they run or not, and the secret key."""

import os
import secrets
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from chatapp.launcher.embedded.postgres import Postgres
from chatapp.launcher.embedded.valkey import Valkey


def secret_key(var_dir: Path) -> str:
    """Returns a key that is made once and kept in a file that only its owner can read."""
    file = var_dir / "secret_key"
    if not file.exists():
        _write_once(file, secrets.token_urlsafe(50))
    return file.read_text().strip()


def database_url(var_dir: Path) -> str:
    return Postgres(var_dir).url


def redis_url(var_dir: Path) -> str:
    return Valkey(var_dir).url


def broker_url(redis: str) -> str:
    """Returns the Redis URL in kombu's form, which names sockets and TLS in other ways than redis-py."""
    parts = urlsplit(redis)
    query = dict(parse_qsl(parts.query))
    if parts.scheme == "unix":
        query["virtual_host"] = query.pop("db", "0")
        return f"redis+socket://{parts.netloc}{parts.path}?{urlencode(query)}"  # urlunsplit drops an empty //
    if parts.scheme == "rediss":
        query.setdefault("ssl_cert_reqs", "required")
        return urlunsplit((*parts[:3], urlencode(query), ""))
    return redis


def _write_once(file: Path, value: str) -> None:
    """Writes `file` unless another process does so first. A hard link to a finished file appears whole or not at all."""
    if not file.parent.exists():
        file.parent.mkdir(parents=True)
        file.parent.chmod(0o755)  # whatever the umask: the user of root's PostgreSQL has to enter it
    new = file.with_name(f"{file.name}.{os.getpid()}")
    new.touch(mode=0o600)
    new.write_text(f"{value}\n")
    try:
        file.hardlink_to(new)
    except FileExistsError:
        pass
    finally:
        new.unlink()
