"""The statement that appends: in one round trip it raises the heads of Sessions and inserts Events, for one write or for many.

Seq is gapless and becomes visible in order, because the head is raised in the statement that inserts (docs/topics/delivery.md).
Rows are locked in one order, Runs before Sessions and both by id, so that two statements cannot deadlock.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import connection
from msgspec import Raw, Struct
from psycopg import Cursor

from sessions_core.machines.feed import Span
from sessions_core.protocol.clock import wire
from sessions_core.protocol.events import (
    Actor,
    Event,
    Fact,
    MessageCompleted,
    MessageDelta,
    MessageDequeued,
    MessagePosted,
    MessageStarted,
    RunProgressed,
    RunRequested,
    RunSteered,
    encode_events,
    encode_fact,
)
from sessions_core.protocol.ids import ClientId, MessageId, RunId, SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.protocol.text import shorten

# `given`: one row for each write. `fact`: one row for each fact, with the number of its write and its place in it, from 1. Facts
# come as arrays: parsing one JSON object for each took a third of the statement's time.
_GIVEN: Final = """
    clock AS MATERIALIZED (SELECT date_trunc('milliseconds', clock_timestamp()) AS at),
    given AS MATERIALIZED (SELECT * FROM json_to_recordset(%(writes)s::json) AS given(
        number int, session uuid, run uuid, fence bigint, size int, active bool, actor_kind text, actor_id text,
        actor_name text, client uuid)),
    fact AS MATERIALIZED (SELECT * FROM unnest(
        %(numbers)s::int[], %(places)s::int[], %(kinds)s::text[], %(runs)s::uuid[], %(messages)s::uuid[], %(data)s::json[]
    ) AS fact(number, place, kind, run, message, data))
"""
_ALLOW_ALL: Final = "allowed AS MATERIALIZED (SELECT * FROM given)"
# FOR SHARE makes the fence safe: after it has waited for a claim or a cancel, PostgreSQL reads the row again. A fence in another
# table, checked by EXISTS, let a stale writer through.
_ALLOW_GRANTED: Final = f"""
    allowed AS MATERIALIZED (
        SELECT given.* FROM given
        JOIN run ON run.id = given.run AND run.session_id = given.session AND run.fence = given.fence
        WHERE run.state = '{RunState.RUNNING}' AND run.cancel_requested_at IS NULL ORDER BY run.id FOR SHARE OF run)
"""
# `counted`: `upto` is the number of its Session's new Events up to the end of a write, `total` that of all of them.
# `count(*) FROM locked` locks the Sessions in the order of their ids before the UPDATE: no deadlock.
_RAISE_AND_INSERT: Final = """
    counted AS MATERIALIZED (
        SELECT allowed.*, sum(size) OVER (PARTITION BY session ORDER BY number) AS upto, sum(size) OVER whole AS total,
               bool_or(active) OVER whole AS touched FROM allowed WINDOW whole AS (PARTITION BY session)),
    locked AS MATERIALIZED (SELECT id FROM session WHERE id IN (SELECT session FROM allowed) ORDER BY id FOR NO KEY UPDATE),
    raised AS (
        UPDATE session SET head = head + growth.total,
                           active_at = CASE WHEN growth.touched THEN clock.at ELSE active_at END
        FROM (SELECT DISTINCT session, total, touched FROM counted) growth, clock
        WHERE id = growth.session AND (SELECT count(*) FROM locked) > 0 RETURNING id, head, epoch),
    placed AS MATERIALIZED (
        SELECT counted.*, raised.epoch, raised.head - counted.total + counted.upto AS last_seq
        FROM counted JOIN raised ON raised.id = counted.session),
    inserted AS (
        INSERT INTO event
            (session_id, seq, kind, at, actor_kind, actor_id, actor_name, run_id, message_id, client_id, data)
        SELECT placed.session, placed.last_seq - placed.size + fact.place, fact.kind, clock.at, placed.actor_kind,
               placed.actor_id, placed.actor_name, fact.run, fact.message,
               CASE WHEN fact.place = 1 THEN placed.client END, fact.data
        FROM placed JOIN fact ON fact.number = placed.number, clock)
    SELECT placed.number, placed.epoch, placed.last_seq, clock.at FROM placed, clock
"""
APPEND: Final = f"WITH {_GIVEN}, {_ALLOW_ALL}, {_RAISE_AND_INSERT}"
APPEND_GRANTED: Final = f"WITH {_GIVEN}, {_ALLOW_GRANTED}, {_RAISE_AND_INSERT}"
ACTOR_NAME_CHARACTERS: Final = 150  # as the column has; a user's first and last name together may be longer
_ENCODER: Final = msgspec.json.Encoder()


class WriteRow(Struct, frozen=True):
    """A write as the statement reads it, without its facts. `active`: it moves the Session to the top of lists."""

    number: int
    session: SessionId
    run: RunId | None
    fence: int
    size: int
    active: bool
    actor_kind: str
    actor_id: str
    actor_name: str
    client: ClientId | None


class FactRow(Struct, frozen=True):
    """A fact of the write with that number, in that place, from 1."""

    number: int
    place: int
    kind: str
    run: RunId | None
    message: MessageId | None
    data: bytes


class WriteRows(Struct, frozen=True):
    """All rows of one write."""

    write: WriteRow
    facts: Sequence[FactRow]


def rows_of(
    number: int,
    session: SessionId,
    facts: Sequence[Fact],
    *,
    actor: Actor,
    run: RunId | None,
    fence: int = 0,
    client: ClientId | None = None,
) -> WriteRows:
    """Returns the rows of one write; `number` is its index in the statement."""
    write = WriteRow(
        number=number,
        session=session,
        run=run,
        fence=fence,
        size=len(facts),
        active=any(not isinstance(fact, MessageDelta | RunProgressed) for fact in facts),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=shorten(actor.name, ACTOR_NAME_CHARACTERS),
        client=client,
    )
    fact_rows = [
        FactRow(number, place, fact.kind, _run_of(fact, run), _message_of(fact), encode_fact(fact))
        for place, fact in enumerate(facts, start=1)
    ]
    return WriteRows(write=write, facts=fact_rows)


def execute(statement: str, writes: Sequence[WriteRows]) -> list[Span | None]:
    """Appends, and returns what each write has appended; None for one that was not allowed, or whose Session is gone."""
    spans: list[Span | None] = [None] * len(writes)
    for number, epoch, last_seq, at in _fetch_prepared(statement, values(writes)):
        spans[number] = _span(writes[number], epoch=epoch, end=int(last_seq), at=wire(at))
    return spans


def values(writes: Sequence[WriteRows]) -> dict[str, str]:
    """Returns the statement's parameters."""
    facts = [fact for rows in writes for fact in rows.facts]
    return {
        "writes": _ENCODER.encode([rows.write for rows in writes]).decode(),
        "numbers": _array([fact.number for fact in facts]),
        "places": _array([fact.place for fact in facts]),
        "kinds": _array([fact.kind for fact in facts]),
        "runs": _array([fact.run for fact in facts]),
        "messages": _array([fact.message for fact in facts]),
        "data": _array([fact.data.decode() for fact in facts]),
    }


def _fetch_prepared(statement: str, arguments: dict[str, str]) -> list[tuple[Any, ...]]:
    """Executes a prepared statement: planning takes longer than the append, and Django's own cursor prepares nothing."""
    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        return cursor.execute(statement, arguments, prepare=True).fetchall()


def _array(items: Sequence[int | str | UUID | None]) -> str:
    """Returns the items as PostgreSQL reads an array. JSON differs from it by the brackets only, as long as no text holds a
    control character: PostgreSQL knows only the escapes of quote and backslash.
    """
    return f"{{{_ENCODER.encode(items)[1:-1].decode()}}}"


def _span(rows: WriteRows, *, epoch: int, end: int, at: str) -> Span:
    write = rows.write
    actor = Actor(kind=write.actor_kind, id=write.actor_id, name=write.actor_name)  # type: ignore[arg-type]  # it came from one
    start = end - write.size
    events = [Event(start + fact.place, fact.kind, at, actor, fact.run, Raw(fact.data)) for fact in rows.facts]
    return Span(session=write.session, epoch=epoch, start=start, end=end, body=encode_events(events))


def _run_of(fact: Fact, run: RunId | None) -> RunId | None:
    match fact:
        case MessageDelta():  # first, because most facts are deltas
            return run
        case RunRequested(run=requested):
            return requested
        case MessagePosted():
            return None
        case _:
            return run


def _message_of(fact: Fact) -> MessageId | None:
    match fact:
        case (
            MessageDelta() | MessageCompleted() | MessagePosted() | MessageDequeued() | MessageStarted() | RunSteered()
        ):
            return fact.message
        case _:
            return None
