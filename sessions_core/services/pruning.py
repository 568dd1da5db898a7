"""Removes what nobody needs any more: old devices and tokens, ended logins, and Sessions in which nobody takes part.

No index finds it, and none would be worth its cost: each table is walked through in the order of its key, a piece at a time.
The place is kept in memory, so a process that starts anew begins at the beginning.
"""

from typing import Any, Final
from uuid import UUID

from django.db import connection
from msgspec import Struct

from sessions_core.protocol.ids import SessionId
from sessions_core.services import deletion

PIECE: Final = 1_000  # rows looked at in one call


class Kind(Struct, frozen=True):
    """Rows of one table that are removed when `old` is true of them. `first` is below every `key`."""

    table: str
    key: str
    first: Any
    old: str


SESSIONS: Final = Kind(
    "session",
    "id",
    UUID(int=0),
    # Counted, because for EXISTS PostgreSQL may read all participants first.
    "deleted_at IS NULL AND (SELECT count(*) FROM participant WHERE session_id = session.id) = 0",
)
KINDS: Final = (
    SESSIONS,
    Kind("device", "id", 0, "last_seen_at < now() - interval '180 days'"),
    Kind("api_token", "id", 0, "revoked_at < now() - interval '90 days'"),
    Kind("django_session", "session_key", "", "expire_date < now()"),
)


class Pruning:
    """Walks through all tables again and again."""

    def __init__(self, *, rows: int = PIECE) -> None:
        self._rows = rows
        self._after: dict[Kind, Any] = {}

    def prune(self) -> None:
        """Looks at the next piece of each table, and removes what is old in it."""
        for kind in KINDS:
            after = self._after.get(kind, kind.first)
            found = _fetch(
                f"SELECT {kind.key}, {kind.old} FROM {kind.table} WHERE {kind.key} > %s"  # ours
                f" ORDER BY {kind.key} LIMIT %s",
                [after, self._rows],
            )
            _remove(kind, [key for key, is_old in found if is_old])
            self._after[kind] = found[-1][0] if len(found) == self._rows else kind.first


def _remove(kind: Kind, keys: list[Any]) -> None:
    if kind is SESSIONS:
        for key in keys:
            deletion.delete_by_staff(SessionId(key))
    elif keys:
        with connection.cursor() as cursor:  # asked again: it may have been used meanwhile
            cursor.execute(
                f"DELETE FROM {kind.table} WHERE {kind.key} IN (SELECT {kind.key} FROM {kind.table}"
                f" WHERE {kind.key} = ANY(%s) AND {kind.old} FOR UPDATE SKIP LOCKED)",
                [keys],
            )


def _fetch(statement: str, arguments: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
