"""Appending: one statement, and so one round trip, raises the head and inserts, whether for one Run or for many.

Seq is gapless and becomes visible in order, because the head is raised in the statement that inserts (docs/topics/delivery.md).
Rows are locked run before session, and each kind by its key, so that no two writers wait for each other. A hint goes out
after the commit; nothing rests on it.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import connection, transaction
from msgspec import Raw, Struct
from psycopg import Cursor

from sessions_core import hints
from sessions_core.machines.feed import Span
from sessions_core.protocol.claim import WriteGrant
from sessions_core.protocol.clock import wire
from sessions_core.protocol.errors import Fenced, NotFound
from sessions_core.protocol.events import (
    Actor,
    Event,
    Fact,
    MessageCompleted,
    MessageDelta,
    MessagePosted,
    MessageStarted,
    RunProgressed,
    RunRequested,
    encode_events,
    encode_fact,
)
from sessions_core.protocol.ids import ClientId, MessageId, RunId, SessionId
from sessions_core.protocol.run_states import RunState

# `b`: what is to be written, a row a write. `i`: its facts, a row each, the p-th of write w; arrays, because reading a JSON
# object for each took a third of the statement.
_GIVEN: Final = """
    t AS MATERIALIZED (SELECT date_trunc('milliseconds', clock_timestamp()) AS at),
    b AS MATERIALIZED (SELECT * FROM json_to_recordset(%(writes)s::json) AS b(
        w int, session uuid, run uuid, fence bigint, n int, said bool, actor_kind text, actor_id text, actor_name text,
        client uuid)),
    i AS MATERIALIZED (SELECT * FROM unnest(
        %(of)s::int[], %(places)s::int[], %(kinds)s::text[], %(runs)s::uuid[], %(messages)s::uuid[], %(data)s::json[]
    ) AS i(w, p, kind, run, message, data))
"""
_ANYONE: Final = "ok AS MATERIALIZED (SELECT * FROM b)"
# FOR SHARE is what makes the fence safe: after waiting for a claim or a cancel, PostgreSQL looks at the row again. A fence
# in another table that is only asked for by EXISTS let a stale writer through.
_FENCED: Final = f"""
    ok AS MATERIALIZED (
        SELECT b.* FROM b JOIN run r ON r.id = b.run AND r.session_id = b.session AND r.fence = b.fence
        WHERE r.state = '{RunState.RUNNING}' AND r.cancel_requested_at IS NULL ORDER BY r.id FOR SHARE OF r)
"""
# `o`: how far into its Session's new events a write reaches. Counting `s` locks all its rows, in order, before `h` begins.
_RAISED: Final = """
    o AS MATERIALIZED (
        SELECT ok.*, sum(n) OVER (PARTITION BY session ORDER BY w) AS upto, sum(n) OVER whole AS total,
               bool_or(said) OVER whole AS touched FROM ok WINDOW whole AS (PARTITION BY session)),
    s AS MATERIALIZED (SELECT id FROM session WHERE id IN (SELECT session FROM ok) ORDER BY id FOR NO KEY UPDATE),
    h AS (
        UPDATE session SET head = head + g.total, active_at = CASE WHEN g.touched THEN t.at ELSE active_at END
        FROM (SELECT DISTINCT session, total, touched FROM o) g, t
        WHERE id = g.session AND (SELECT count(*) FROM s) > 0 RETURNING id, head, epoch),
    p AS MATERIALIZED (SELECT o.*, h.epoch, h.head - o.total + o.upto AS reached FROM o JOIN h ON h.id = o.session),
    e AS (
        INSERT INTO event
            (session_id, seq, kind, at, actor_kind, actor_id, actor_name, run_id, message_id, client_id, data)
        SELECT p.session, p.reached - p.n + i.p, i.kind, t.at, p.actor_kind, p.actor_id, p.actor_name,
               i.run, i.message, CASE WHEN i.p = 1 THEN p.client END, i.data
        FROM p JOIN i ON i.w = p.w, t)
    SELECT p.w, p.epoch, p.reached, t.at FROM p, t
"""
_APPEND: Final = f"WITH {_GIVEN}, {_ANYONE}, {_RAISED}"
_APPEND_AS: Final = f"WITH {_GIVEN}, {_FENCED}, {_RAISED}"
# Between the Run's request and its last completed Message, so that a long log is not looked through.
_COMPACT: Final = """
    DELETE FROM event WHERE session_id = %(session)s AND run_id = %(run)s AND kind = 'message.delta' AND seq > %(after)s
    AND seq < (SELECT coalesce(max(done.seq), 9223372036854775807) FROM event begun JOIN event done
               ON done.session_id = begun.session_id AND done.message_id = begun.message_id
               AND done.kind = 'message.completed'
               WHERE begun.run_id = %(run)s AND begun.kind = 'message.started')
"""
_ENCODER: Final = msgspec.json.Encoder()


class Write(Struct, frozen=True):
    """Facts of one Run, to be appended together and in this order."""

    grant: WriteGrant
    facts: Sequence[Fact]


class _Write(Struct, frozen=True):
    w: int
    session: SessionId
    run: RunId | None
    fence: int
    n: int
    said: bool
    actor_kind: str
    actor_id: str
    actor_name: str
    client: ClientId | None


class _Row(Struct, frozen=True):
    w: int
    p: int
    kind: str
    run: RunId | None
    message: MessageId | None
    data: bytes


def append(
    session_id: SessionId,
    facts: Sequence[Fact],
    *,
    actor: Actor,
    run: RunId | None = None,
    client_id: ClientId | None = None,
) -> Span:
    """Appends what a person or the system did. Raises NotFound when the Session is gone."""
    write = _write(0, session_id, facts, actor=actor, run=run, client=client_id)
    span = _append(_APPEND, [write], [_rows(0, facts, run=run)])[0]
    if span is None:
        raise NotFound("There is no such conversation.")
    return span


def append_as(grant: WriteGrant, facts: Sequence[Fact]) -> Span:
    """Appends what a Run's present attempt did. Raises Fenced when it is not the present one, or was cancelled (P6, P7)."""
    span = append_all([Write(grant=grant, facts=facts)])[0]
    if span is None:
        raise Fenced
    return span


def append_all(writes: Sequence[Write]) -> list[Span | None]:
    """Appends for several Runs at once, each write whole and in order; None stands where one was fenced out."""
    return _append(_APPEND_AS, *_fenced(writes))


def fenced(writes: Sequence[Write]) -> tuple[str, dict[str, str]]:
    """The statement of `append_all` and its values, for the benchmark that shows them to pgbench."""
    return _APPEND_AS, _values(*_fenced(writes))


def compact(session_id: SessionId, run: RunId, *, after: int) -> int:
    """Deletes the deltas of a Run that has ended, all of them above seq `after`: each of its Messages was completed or voided.
    Returns how many.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COMPACT, {"session": session_id, "run": run, "after": after})
        return int(cursor.rowcount)


def bump_epoch() -> int:
    """Makes every cursor invalid, after the database was restored from a backup: readers start anew. Returns how many logs.

    The number comes from the clock (minutes since 1970), so that the same backup, restored twice, gets another one each time.
    """
    with connection.cursor() as cursor:
        cursor.execute("UPDATE session SET epoch = greatest(epoch + 1, (extract(epoch FROM now()) / 60)::int)")
        return int(cursor.rowcount)


def _append(statement: str, writes: Sequence[_Write], rows: Sequence[Sequence[_Row]]) -> list[Span | None]:
    spans: list[Span | None] = [None] * len(writes)
    for w, epoch, end, at in _prepared(statement, _values(writes, rows)):
        spans[w] = _span(writes[w], rows[w], epoch=epoch, end=int(end), at=wire(at))
    for span in spans:
        if span is not None:
            transaction.on_commit(partial(hints.publish, span), robust=True)
    return spans


def _fenced(writes: Sequence[Write]) -> tuple[list[_Write], list[list[_Row]]]:
    heads = [
        _write(n, grant.session, write.facts, actor=grant.actor, run=grant.run, fence=grant.fence)
        for n, write in enumerate(writes)
        for grant in [write.grant]
    ]
    return heads, [_rows(n, write.facts, run=write.grant.run) for n, write in enumerate(writes)]


def _values(writes: Sequence[_Write], rows: Sequence[Sequence[_Row]]) -> dict[str, str]:
    every = [row for of_write in rows for row in of_write]
    return {
        "writes": _ENCODER.encode(writes).decode(),
        "of": _array([row.w for row in every]),
        "places": _array([row.p for row in every]),
        "kinds": _array([row.kind for row in every]),
        "runs": _array([row.run for row in every]),
        "messages": _array([row.message for row in every]),
        "data": _array([row.data.decode() for row in every]),
    }


def _span(write: _Write, rows: Sequence[_Row], *, epoch: int, end: int, at: str) -> Span:
    actor = Actor(kind=write.actor_kind, id=write.actor_id, name=write.actor_name)  # type: ignore[arg-type]  # was one
    start = end - write.n
    events = [Event(start + row.p, row.kind, at, actor, row.run, Raw(row.data)) for row in rows]
    return Span(session=write.session, epoch=epoch, start=start, end=end, body=encode_events(events))


def _prepared(statement: str, arguments: dict[str, str]) -> list[tuple[Any, ...]]:
    """The rows of a prepared statement. Django's own cursor prepares nothing, and planning costs more than the append."""
    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        return cursor.execute(statement, arguments, prepare=True).fetchall()


def _array(values: Sequence[int | str | UUID | None]) -> str:
    """The values as PostgreSQL reads an array. JSON says it alike but for the brackets, as long as no text has a control
    character: of its escapes only those of quote and backslash mean the same.
    """
    return f"{{{_ENCODER.encode(values)[1:-1].decode()}}}"


def _write(
    w: int,
    session: SessionId,
    facts: Sequence[Fact],
    *,
    actor: Actor,
    run: RunId | None,
    fence: int = 0,
    client: ClientId | None = None,
) -> _Write:
    return _Write(
        w=w,
        session=session,
        run=run,
        fence=fence,
        n=len(facts),
        said=any(not isinstance(fact, MessageDelta | RunProgressed) for fact in facts),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        client=client,
    )


def _rows(w: int, facts: Sequence[Fact], *, run: RunId | None) -> list[_Row]:
    return [
        _Row(w, p, fact.kind, _run_of(fact, run), _message_of(fact), encode_fact(fact))
        for p, fact in enumerate(facts, start=1)
    ]


def _run_of(fact: Fact, run: RunId | None) -> RunId | None:
    match fact:
        case MessageDelta():  # first, because most are
            return run
        case RunRequested(run=requested):
            return requested
        case MessagePosted():
            return None
        case _:
            return run


def _message_of(fact: Fact) -> MessageId | None:
    match fact:
        case MessageDelta() | MessageCompleted() | MessagePosted() | MessageStarted():
            return fact.message
        case _:
            return None
