"""Addresses of what the settings need: those given, and those of the services that `manage.py up` starts."""

import os
import secrets
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from chatapp.launcher.embedded.postgres import Postgres
from chatapp.launcher.embedded.valkey import Valkey


def secret_key(var_dir: Path) -> str:
    """Django's key: SECRET_KEY of the environment, or one that is made once and kept, readable by its owner only."""
    given = os.environ.get("SECRET_KEY", "").strip()
    if given:
        return given
    file = var_dir / "secret_key"
    if not file.exists():
        _write_once(file, secrets.token_urlsafe(50))
    return file.read_text().strip()


def database_url(var_dir: Path) -> str:
    """Where the database of `manage.py up` is, running or not."""
    return Postgres(var_dir).url


def redis_url(var_dir: Path) -> str:
    """Where Valkey of `manage.py up` is, running or not."""
    return Valkey(var_dir).url


def broker_url(redis: str) -> str:
    """The same Redis in the spelling of kombu, which knows sockets and TLS under other names than redis-py."""
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
    """Writes `file` unless another process does so first: a link to a finished file appears whole or not at all."""
    if not file.parent.exists():
        file.parent.mkdir(parents=True)
        file.parent.chmod(0o755)  # whatever the umask says: PostgreSQL of root has to pass
    new = file.with_name(f"{file.name}.{os.getpid()}")
    new.touch(mode=0o600)
    new.write_text(f"{value}\n")
    try:
        file.hardlink_to(new)
    except FileExistsError:
        pass
    finally:
        new.unlink()
