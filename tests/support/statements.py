"""Notes every statement that the engine sends to PostgreSQL while tests run, whoever sends it and by whatever cursor."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Any, Final

import psycopg
from msgspec import Struct

ROOT: Final = f"{Path(__file__).resolve().parents[2]}/"
ENGINE: Final = ("sessions_core/", "agents/", "chatapp/")
_ADMIN: Final = "/django/contrib/admin/"
_APART: Final = ("migrations/", "chatapp/launcher/")  # what runs once, before anything is there

Parameters = Sequence[Any] | Mapping[str, Any] | None


class Statement(Struct, frozen=True, eq=False):  # parameters may not have a hash
    """A statement with the parameters of its first time, and the line of the engine that sent it."""

    sql: str
    parameters: Parameters
    sender: str


noted: Final[dict[str, Statement]] = {}
_listening: Final[list[list[str]]] = []


def watch() -> None:
    """Wraps psycopg's one way to execute, which Django's cursors and our own share. For the rest of this process."""
    execute = psycopg.Cursor.execute

    @wraps(execute)
    def noting(cursor: Any, query: Any, params: Any = None, **options: Any) -> Any:  # noqa: ANN401  # as psycopg has it
        if isinstance(query, str) and (_listening or query not in noted) and (sender := _sender(sys._getframe(1))):
            noted.setdefault(query, Statement(query, params, sender))
            for statements in _listening:
                statements.append(query)
        return execute(cursor, query, params, **options)

    setattr(psycopg.Cursor, "execute", noting)  # noqa: B010  # it has overloads, which mypy wants back


@contextmanager
def sent() -> Iterator[list[str]]:
    """Yields a list that gets each statement that the engine sends meanwhile."""
    statements: list[str] = []
    _listening.append(statements)
    try:
        yield statements
    finally:
        _listening.remove(statements)


def _sender(frame: FrameType | None) -> str:
    """Returns the innermost line of the project, if it is the engine's: what a test asks by itself does not count."""
    while frame is not None:
        file = frame.f_code.co_filename
        if _ADMIN in file:  # staff filter, search and count as they like
            return ""
        if file.startswith(ROOT) and "site-packages" not in file:
            name = file.removeprefix(ROOT)
            counts = name.startswith(ENGINE) and not any(part in name for part in _APART)
            return f"{name}:{frame.f_lineno}" if counts else ""
        frame = frame.f_back
    return ""
