"""Where the services of this clone are: files under var/, written by whoever starts them, read by the settings."""

import os
import secrets
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

DATABASE = "postgres.url"
REDIS = "valkey.url"


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
    """The database of `manage.py up`. Where nothing was started yet, the address at which it will usually be."""
    return _read(var_dir / DATABASE) or at_socket_folder(var_dir / "postgres", database="chat")


def redis_url(var_dir: Path) -> str:
    """Valkey of `manage.py up`. Where nothing was started yet, the address at which it will usually be."""
    return _read(var_dir / REDIS) or f"unix://{quote(str(var_dir / 'valkey' / 'valkey.sock'))}"


def at_socket_folder(folder: Path, *, database: str) -> str:
    """A database URL for PostgreSQL's socket in `folder`."""
    return f"postgresql://chat@{quote(str(folder), safe='')}/{database}"


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


def record(file: Path, url: str) -> None:
    """Lets `manage.py …` in another terminal find the service; replaced in one step, never seen half written."""
    new = file.with_name(f"{file.name}.{os.getpid()}")
    new.touch(mode=0o600)
    new.write_text(f"{url}\n")
    new.replace(file)


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""


def _write_once(file: Path, value: str) -> None:
    """Writes `file` unless another process does so first: a link to a finished file appears whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.{os.getpid()}")
    new.touch(mode=0o600)
    new.write_text(f"{value}\n")
    try:
        file.hardlink_to(new)
    except FileExistsError:
        pass
    finally:
        new.unlink()
