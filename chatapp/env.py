"""Typed readers of the environment and of `.env`. Each raises ImproperlyConfigured for an unusable value: one sentence with the
name, what is wrong, and an example. What is secret is not repeated in it.

A reader keeps the name, so that `misspelt` knows all of them.
"""

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv

_TRUE: Final = {"1", "true", "yes", "on"}
_FALSE: Final = {"0", "false", "no", "off"}
_HOST: Final = re.compile(r"\*|\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|(?=.*:.*:)[0-9A-Fa-f:.]+|\[[0-9A-Fa-f:.]+\]")
_KEY_CHARACTERS: Final = 32
_KEY_VARIETY: Final = 5  # different characters; Django's own check wants as many
_NEAR: Final = 0.85  # of difflib: one letter too many, too few or wrong in six
_read: Final[set[str]] = set()


def load(file: Path) -> None:
    """Adds the variables of `file` to the environment, except those that are set already."""
    load_dotenv(file, override=False)


def names() -> list[str]:
    """Returns the names of all variables that have been read."""
    return sorted(_read)


def misspelt() -> list[str]:
    """Returns a sentence for each variable whose name is nearly that of one of ours."""
    near = {
        name: get_close_matches(name.upper(), _read, n=1, cutoff=_NEAR) for name in sorted(os.environ.keys() - _read)
    }
    return [f"{name} is set, but no setting has that name. Is it {ours[0]}?" for name, ours in near.items() if ours]


def text(name: str, default: str = "") -> str:
    """Returns any text."""
    _read.add(name)
    return os.environ.get(name, "").strip() or default


def word(name: str, *, example: str) -> str:
    """Returns a text of printable ASCII without blanks, as a model's name or its key is."""
    value = text(name)
    if not value.isascii() or not value.isprintable() or " " in value:
        _refuse(name, "must be one word of plain letters, digits and signs", f"{name}={example}")
    return value


def flag(name: str, *, default: bool = False) -> bool:
    """Returns a boolean, written as 1/0, true/false, yes/no or on/off."""
    value = text(name).lower()
    if value and value not in _TRUE | _FALSE:
        _refuse(f"{name}={value!r}", "is neither on nor off: write 1 or 0", f"{name}=1")
    return value in _TRUE if value else default


def number(name: str, default: int, *, least: int, most: int) -> int:
    value = text(name)
    if not value:
        return default
    if not value.isdecimal() or len(value) > len(str(most)) or not least <= int(value) <= most:
        _refuse(f"{name}={value!r}", f"must be a whole number from {least} to {most}", f"{name}={default}")
    return int(value)


def host(name: str, default: str) -> str:
    """Returns a host's name or address."""
    return _host(name, text(name, default), default)


def hosts(name: str, default: tuple[str, ...]) -> list[str]:
    """Returns a comma-separated list of hosts, without scheme and port."""
    return [_host(name, word, "chat.example,localhost") for word in _words(name)] or list(default)


def origins(name: str) -> list[str]:
    """Returns a comma-separated list of Origins as browsers send them: scheme, host and, unless it is the usual one, port."""
    found = _words(name)
    for origin in found:
        parts = _split(origin)
        if not parts or parts.scheme not in {"http", "https"} or origin != f"{parts.scheme}://{parts.netloc or '?'}":
            _refuse(f"{name}: {origin!r}", "is no origin", f"{name}=https://chat.example,http://localhost:5173")
    return found


def url(name: str, schemes: tuple[str, ...], *, example: str) -> str:
    """Returns a URL of one of `schemes`, or an empty string if the variable is not set."""
    value = text(name)
    if not value:
        return ""
    parts = _split(value)
    if not parts or parts.scheme not in schemes or not (parts.hostname or parts.path.strip("/")):
        begin = " or ".join(f"{scheme}://" for scheme in schemes)
        _refuse(name, f"must begin with {begin}, and its host and port must be possible", f"{name}={example}")
    return value


def database(name: str) -> str:
    """Returns the URL of a PostgreSQL database, or an empty string if the variable is not set."""
    example = "postgresql://user:password@host:5432/name"
    value = text(name)
    if "," in value.partition("://")[2].partition("/")[0].rpartition("@")[2]:
        _refuse(name, "names several hosts: name one, or a proxy in front of them", f"{name}={example}")
    value = url(name, ("postgres", "postgresql"), example=example)
    if value and not urlsplit(value).path.strip("/"):
        _refuse(name, "names no database", f"{name}={example}")
    return value


def redis(name: str) -> str:
    """Returns the URL of a Redis or Valkey, or an empty string if the variable is not set."""
    example = "redis://localhost:6379/0"
    value = url(name, ("redis", "rediss", "unix"), example=example)
    parts = urlsplit(value)
    if parts.scheme != "unix" and not (parts.path.strip("/") or "0").isdecimal():
        _refuse(name, "names no number of a database", f"{name}={example}")
    return value


def secret(name: str) -> str:
    """Returns a key that nobody can guess, or an empty string if the variable is not set."""
    value = text(name)
    if value and (len(value) < _KEY_CHARACTERS or len(set(value)) < _KEY_VARIETY):
        problem = f"is too easy to guess: at least {_KEY_CHARACTERS} random characters are needed"
        _refuse(name, problem, f"{name}=$(python3 -c 'import secrets; print(secrets.token_urlsafe(50))')")
    return value


def folder(name: str, default: Path) -> Path:
    """Returns an absolute path, which need not exist yet."""
    path = Path(text(name) or default).expanduser()
    if not path.is_absolute() or path.is_file():
        _refuse(f"{name}={str(path)!r}", "must be the absolute path of a folder", f"{name}=/var/lib/chat")
    return path


def file(name: str, *, example: str) -> str:
    """Returns the absolute path of a file that exists, or an empty string if the variable is not set."""
    value = text(name)
    if value and not (Path(value).is_absolute() and Path(value).is_file()):
        _refuse(f"{name}={value!r}", "must be the absolute path of a file that exists", f"{name}={example}")
    return value


def _host(name: str, value: str, example: str) -> str:
    if not _HOST.fullmatch(value):
        _refuse(f"{name}: {value!r}", "is no host: write it without scheme, port and path", f"{name}={example}")
    return value


def _words(name: str) -> list[str]:
    return [word.strip() for word in text(name).split(",") if word.strip()]


def _split(value: str) -> SplitResult | None:
    """Returns the parts of a URL, or None where its host or port is impossible."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  # the attribute is computed, and raises
    except ValueError:
        return None
    return parts


def _refuse(what: str, problem: str, example: str) -> NoReturn:
    raise ImproperlyConfigured(f"{what} {problem}. Example: {example}")
