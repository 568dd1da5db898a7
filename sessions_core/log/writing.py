"""Appends to logs, compacts them, and changes their epoch.

A hint goes out after the commit of an append. If it is lost, readers find the new Events by their next read of the log.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from django.db import connection, transaction
from msgspec import Struct

from sessions_core import hints
from sessions_core.log import statement
from sessions_core.machines.feed import Span
from sessions_core.protocol.claim import WriteGrant
from sessions_core.protocol.errors import Fenced, NotFound
from sessions_core.protocol.events import Actor, Fact
from sessions_core.protocol.ids import ClientId, RunId, SessionId

# The range ends at the Run's last completed Message, so that the rest of a long log is not read.
_COMPACT: Final = """
    DELETE FROM event WHERE session_id = %(session)s AND run_id = %(run)s AND kind = 'message.delta' AND seq > %(after)s
    AND seq < (SELECT coalesce(max(completed.seq), 9223372036854775807) FROM event started JOIN event completed
               ON completed.session_id = started.session_id AND completed.message_id = started.message_id
               AND completed.kind = 'message.completed'
               WHERE started.run_id = %(run)s AND started.kind = 'message.started')
"""
# Minutes since 1970, so that a backup that is restored twice gets another epoch each time.
_BUMP_EPOCH: Final = "UPDATE session SET epoch = greatest(epoch + 1, (extract(epoch FROM now()) / 60)::int)"


class Write(Struct, frozen=True):
    """Facts of one Run, to be appended together and in this order."""

    grant: WriteGrant
    facts: Sequence[Fact]


def append(
    session_id: SessionId,
    facts: Sequence[Fact],
    *,
    actor: Actor,
    run: RunId | None = None,
    client_id: ClientId | None = None,
) -> Span:
    """Appends facts of a person or the system, and returns their Span. Raises NotFound when the Session is gone."""
    rows = statement.rows_of(0, session_id, facts, actor=actor, run=run, client=client_id)
    span = _execute(statement.APPEND, [rows])[0]
    if span is None:
        raise NotFound("There is no such conversation.")
    return span


def append_as(grant: WriteGrant, facts: Sequence[Fact]) -> Span:
    """Appends facts of a Run, and returns their Span. Raises Fenced when the grant is an older attempt's, or the Run was
    cancelled or has ended (P6, P7).
    """
    span = append_all([Write(grant=grant, facts=facts)])[0]
    if span is None:
        raise Fenced
    return span


def append_all(writes: Sequence[Write]) -> list[Span | None]:
    """Appends for several Runs in one statement. Returns the Span of each write; None for one that was fenced out."""
    return _execute(statement.APPEND_GRANTED, _granted(writes))


def append_all_sql(writes: Sequence[Write]) -> tuple[str, dict[str, str]]:
    """Returns the statement of `append_all` and its parameters, for the benchmark that runs it with pgbench."""
    return statement.APPEND_GRANTED, statement.values(_granted(writes))


def compact(session_id: SessionId, run: RunId, *, after: int) -> int:
    """Deletes the deltas above seq `after` of a Run that has ended: all its Messages were completed or voided. Returns the
    number of deleted Events.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COMPACT, {"session": session_id, "run": run, "after": after})
        return int(cursor.rowcount)


def bump_epoch() -> int:
    """Gives every log a new epoch after the database was restored: all cursors are invalid, and readers start anew. Returns
    the number of logs.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BUMP_EPOCH)
        return int(cursor.rowcount)


def _execute(sql: str, writes: Sequence[statement.WriteRows]) -> list[Span | None]:
    spans = statement.execute(sql, writes)
    for span in spans:
        if span is not None:
            transaction.on_commit(partial(hints.publish, span), robust=True)
    return spans


def _granted(writes: Sequence[Write]) -> list[statement.WriteRows]:
    return [
        statement.rows_of(number, grant.session, write.facts, actor=grant.actor, run=grant.run, fence=grant.fence)
        for number, write in enumerate(writes)
        for grant in [write.grant]
    ]
