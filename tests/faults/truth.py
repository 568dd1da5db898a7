"""The dump of the log, read with plain SQL and none of the engine's code."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

import msgspec
import psycopg

DELTA: Final = "message.delta"
TERMINAL: Final = frozenset({"run.completed", "run.cancelled", "run.failed", "run.interrupted"})

PartKey = tuple[str, int]  # message and index of the part


class Row(msgspec.Struct, frozen=True):
    """One Event as it is stored."""

    seq: int
    kind: str
    run: str | None
    client: str | None
    data: dict[str, Any]
    at: float = 0.0  # in seconds since 1970


class Truth:
    """One Session's log."""

    def __init__(self, session: str, head: int, rows: Sequence[Row]) -> None:
        self.session = session
        self.head = head
        self.rows = rows

    @cached_property
    def facts(self) -> list[Row]:
        """All Events but the deltas. They are never merged and never compacted away."""
        return [row for row in self.rows if row.kind != DELTA]

    @cached_property
    def _fact_seqs(self) -> list[int]:
        return [row.seq for row in self.facts]

    def between(self, start: int, end: int) -> list[Row]:
        """Returns the facts of the seqs (`start`, `end`]."""
        return self.facts[bisect_right(self._fact_seqs, start) : bisect_right(self._fact_seqs, end)]

    @cached_property
    def spoken(self) -> dict[PartKey, "Spoken"]:
        """The text of each part of each Message: of its deltas or, where they were compacted away, of the completed Message."""
        found: dict[PartKey, Spoken] = {}
        for row in self.rows:
            if row.kind == DELTA:
                found.setdefault((row.data["message"], row.data["part"]), Spoken()).add(row)
        for row in self.facts:
            if row.kind == "message.completed":
                for index, part in enumerate(row.data["parts"]):
                    found.setdefault((row.data["message"], index), Spoken(compacted=True)).completed = part["text"]
        return found


class Spoken(msgspec.Struct):
    """The text of one part as its deltas made it, and the length after each."""

    text: str = ""
    ends: list[tuple[int, int]] = []  # (seq of a delta, length of the text after it)
    completed: str | None = None
    compacted: bool = False
    gap: bool = False  # the deltas do not continue each other

    def add(self, row: Row) -> None:
        self.gap = self.gap or row.data["offset"] != len(self.text)
        self.text += row.data["text"]
        self.ends.append((row.seq, len(self.text)))

    @property
    def known(self) -> str:
        """The text as far as the log shows it."""
        return (self.completed or "") if self.compacted else self.text

    def length_at(self, seq: int) -> int:
        """Returns the length of the text for a reader at that cursor. Only for parts that were not compacted."""
        at = bisect_right(self.ends, seq, key=lambda end: end[0])
        return self.ends[at - 1][1] if at else 0


_DUMP: Final = """
    SELECT seq, kind, run_id::text, client_id::text, data::text, extract(epoch FROM at)::float8 FROM event
    WHERE session_id = %s::uuid ORDER BY seq
"""


def dump(database_url: str, sessions: Sequence[str]) -> dict[str, Truth]:
    """Reads the logs in one snapshot."""
    found: dict[str, Truth] = {}
    with psycopg.connect(database_url) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for session in sessions:
            head = connection.execute("SELECT head FROM session WHERE id = %s::uuid", [session]).fetchone()
            assert head is not None, f"The Session {session} is gone."
            rows = [
                Row(seq=seq, kind=kind, run=run, client=client, data=msgspec.json.decode(data), at=at)
                for seq, kind, run, client, data, at in connection.execute(_DUMP, [session])
            ]
            found[session] = Truth(session, head[0], rows)
    return found
