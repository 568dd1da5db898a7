"""Typed readers of the environment and of `.env`. Each raises ImproperlyConfigured, with a sentence, for an unusable value."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def load(file: Path) -> None:
    """Adds the variables of `file` to the environment, except those that are set already."""
    load_dotenv(file, override=False)


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool = False) -> bool:
    """Returns a boolean, written as 1/0, true/false, yes/no or on/off."""
    value = text(name).lower()
    if not value:
        return default
    if value in _TRUE or value in _FALSE:
        return value in _TRUE
    raise ImproperlyConfigured(f"{name}={value!r} is neither on nor off: write 1 or 0.")


def number(name: str, default: int, *, least: int, most: int) -> int:
    value = text(name)
    if not value:
        return default
    if not value.isdecimal() or not least <= int(value) <= most:
        raise ImproperlyConfigured(f"{name}={value!r} must be a whole number from {least} to {most}.")
    return int(value)


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Returns the items of a comma-separated list."""
    return [word.strip() for word in text(name).split(",") if word.strip()] or list(default)


def origins(name: str) -> list[str]:
    """Returns a comma-separated list of Origins as browsers send them: scheme, host and, unless it is the usual one, port."""
    found = words(name)
    for origin in found:
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}":
            raise ImproperlyConfigured(
                f"{name}: {origin!r} is no origin: write https://chat.example or http://localhost:5173."
            )
    return found


def url(name: str, schemes: tuple[str, ...]) -> str:
    """Returns a URL of one of `schemes`, or an empty string if the variable is not set."""
    value = text(name)
    if value and urlsplit(value).scheme not in schemes:
        raise ImproperlyConfigured(f"{name} must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}.")
    return value


def folder(name: str, default: Path) -> Path:
    """Returns an absolute path, which need not exist yet."""
    path = Path(text(name) or default).expanduser()
    if not path.is_absolute() or path.is_file():
        raise ImproperlyConfigured(f"{name}={str(path)!r} must be the absolute path of a folder.")
    return path
