"""The log: the only writer of Event and of `Session.head`, and its readers.

One statement raises the head and inserts, so that seq is gapless and becomes visible in order (architecture.md §5). A hint
goes out after the commit; nothing rests on it.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Final

from django.db import connection, transaction
from msgspec import Raw, Struct

from sessions_core import hub
from sessions_core.clock import wire
from sessions_core.errors import Fenced, NotFound
from sessions_core.events import (
    Actor,
    Event,
    Fact,
    MessageCompleted,
    MessageDelta,
    MessagePosted,
    MessageStarted,
    Part,
    RunProgressed,
    RunRequested,
    decode_fact,
    encode_events,
    encode_fact,
)
from sessions_core.ids import ClientId, MessageId, RunId, SessionId
from sessions_core.subscription import Span

PAGE_ROWS: Final = 1000  # rows of one read; more is read on
PAGE_BYTES: Final = 512 * 1024  # of data in one read, so that a page fits an outbox

_WRITE: Final = """
    INSERT INTO event (session_id, seq, kind, at, actor_kind, actor_id, actor_name, run_id, message_id, client_id, data)
    SELECT h.id, h.head - %(n)s + i.ord, i.kind, t.at, %(actor_kind)s, %(actor_id)s, %(actor_name)s,
           i.run, i.message, CASE WHEN i.ord = 1 THEN %(client)s::uuid END, i.data::jsonb
    FROM h, t, unnest(%(kinds)s::text[], %(runs)s::uuid[], %(messages)s::uuid[], %(datas)s::text[])
         WITH ORDINALITY AS i(kind, run, message, data, ord)
"""
_RAISE: Final = """
    UPDATE session SET head = head + %(n)s, active_at = CASE WHEN %(said)s THEN t.at ELSE active_at END
    FROM t WHERE id = %(session)s
"""
_TIME: Final = "t AS MATERIALIZED (SELECT date_trunc('milliseconds', clock_timestamp()) AS at)"
_APPEND: Final = f"""
    WITH {_TIME}, h AS ({_RAISE} RETURNING id, head, epoch), e AS ({_WRITE})
    SELECT h.epoch, h.head, t.at FROM h, t
"""
# FOR SHARE is what makes the fence safe: after waiting for a claim or a cancel, PostgreSQL looks at the row again.
_APPEND_AS: Final = f"""
    WITH {_TIME},
         w AS (SELECT 1 FROM run WHERE id = %(run)s AND session_id = %(session)s AND fence = %(fence)s
               AND state = 'running' AND cancel_requested_at IS NULL FOR SHARE),
         h AS ({_RAISE} AND EXISTS (SELECT 1 FROM w) RETURNING id, head, epoch), e AS ({_WRITE})
    SELECT h.epoch, h.head, t.at FROM h, t
"""
_READ: Final = """
    SELECT s.epoch, s.head, e.seq, e.kind, e.at, e.actor_kind, e.actor_id, e.actor_name, e.run_id, e.data
    FROM session s LEFT JOIN LATERAL (
        SELECT seq, kind, at, actor_kind, actor_id, actor_name, run_id, data::text AS data FROM event
        WHERE session_id = s.id AND seq > %(after)s AND seq <= %(until)s ORDER BY seq LIMIT %(limit)s
    ) e ON true WHERE s.id = %(session)s ORDER BY e.seq
"""
# The seq at which the `messages` newest Messages at or below `until` begin.
_BOUNDARY: Final = """
    SELECT seq FROM event WHERE session_id = %(session)s AND seq <= %(until)s
    AND kind IN ('message.posted', 'message.started') ORDER BY seq DESC OFFSET %(skip)s LIMIT 1
"""
# The earliest beginning of a Message that was open at seq `start`: it began before and was completed after.
_OPEN_AT: Final = """
    SELECT min(b.seq) FROM event c JOIN event b
      ON b.session_id = c.session_id AND b.message_id = c.message_id AND b.kind = 'message.started' AND b.seq < %(start)s
    WHERE c.session_id = %(session)s AND c.message_id IS NOT NULL AND c.seq >= %(start)s AND c.seq <= %(until)s
      AND c.kind IN ('message.completed', 'message.delta')
"""
_FIRST_ACTIVE: Final = """
    SELECT min(asked_seq) FROM run WHERE session_id = %(session)s AND state IN ('requested', 'running', 'waiting')
"""
_FOREVER: Final = 2**62


class Writer(Struct, frozen=True):
    """What entitles an attempt of a Run to write."""

    session: SessionId
    run: RunId
    fence: int
    actor: Actor


class Page(Struct, frozen=True):
    """Events of a range as one Span, and the log's head when it was read; `older`: there are Messages before it."""

    span: Span
    head: int
    events: list[Event]
    older: bool = False


class Position(Struct, frozen=True):
    """Where a log stands."""

    epoch: int
    head: int


def append(
    session_id: SessionId,
    facts: Sequence[Fact],
    *,
    actor: Actor,
    run: RunId | None = None,
    client_id: ClientId | None = None,
) -> Span:
    """Appends what a person or the system did. Raises NotFound when the Session is gone."""
    span = _append(_APPEND, facts, actor=actor, run=run, session=session_id, client=client_id)
    if span is None:
        raise NotFound("There is no such conversation.")
    return span


def append_as(writer: Writer, facts: Sequence[Fact]) -> Span:
    """Appends what a Run's present attempt did. Raises Fenced when it is not the present one, or was cancelled (P6, P7)."""
    span = _append(
        _APPEND_AS, facts, actor=writer.actor, run=writer.run, session=writer.session, client=None, fence=writer.fence
    )
    if span is None:
        raise Fenced
    return span


def read(session_id: SessionId, *, after: int, until: int = _FOREVER, limit: int = PAGE_ROWS) -> Page:
    """The Events above the cursor `after`, neighbouring deltas merged. The range ends at the head (or `until`), or
    earlier where `limit` rows or PAGE_BYTES were reached. Raises NotFound.
    """
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"session": session_id, "after": after, "until": until, "limit": limit})
        rows = cursor.fetchall()
    if not rows:
        raise NotFound("There is no such conversation.")
    epoch, head = rows[0][:2]
    events = list(_within(rows)) if rows[0][2] is not None else []
    whole = len(events) == len(rows) < limit or not events
    end = max(min(head, until), after) if whole else events[-1].seq
    merged = merge(events)
    span = Span(session=session_id, epoch=epoch, start=after, end=end, body=encode_events(merged))
    return Page(span=span, head=head, events=merged)


def open_last(session_id: SessionId, *, messages: int) -> Page:
    """The newest Messages and all that still runs, from a Message's boundary to the head (a cold start). Raises NotFound."""
    return _open(session_id, until=_FOREVER, messages=messages)


def before(session_id: SessionId, *, before: int, messages: int) -> Page:
    """The Messages before a page that was opened at cursor `before` (its `from`). Raises NotFound."""
    return _open(session_id, until=before, messages=messages)


def heads(session_ids: Iterable[SessionId]) -> dict[SessionId, Position]:
    """Where each of the logs stands, in one query; those that are gone are left out."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, epoch, head FROM session WHERE id = ANY(%s)", [list(session_ids)])
        return {SessionId(row[0]): Position(epoch=row[1], head=row[2]) for row in cursor.fetchall()}


def find_command(session_id: SessionId, client_id: ClientId) -> tuple[int, Fact | None] | None:
    """Seq and fact of the Event that the command with this client id made, if it was made already (P5)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq, kind, data::text FROM event WHERE session_id = %s AND client_id = %s", [session_id, client_id]
        )
        row = cursor.fetchone()
    return (row[0], decode_fact(row[1], row[2])) if row else None


def newest_message(session_id: SessionId) -> MessageId | None:
    """The Message that began last."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT message_id FROM event WHERE session_id = %s AND kind IN ('message.posted', 'message.started')"
            " ORDER BY seq DESC LIMIT 1",
            [session_id],
        )
        row = cursor.fetchone()
    return MessageId(row[0]) if row else None


def has_message(session_id: SessionId, message: MessageId) -> bool:
    """Whether that Message is in that log."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM event WHERE session_id = %s AND message_id = %s LIMIT 1", [session_id, message])
        return cursor.fetchone() is not None


def open_messages(session_id: SessionId, run: RunId, *, after: int) -> list[tuple[MessageId, tuple[Part, ...]]]:
    """The Messages that the Run began above `after` and has not completed, with the parts that their deltas made."""
    found: dict[MessageId, list[MessageDelta]] = {message: [] for message in _begun(run, after=after)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, data::text FROM event WHERE session_id = %s AND message_id = ANY(%s)"
            " AND kind IN ('message.delta', 'message.completed') ORDER BY seq",
            [session_id, list(found)],
        )
        for kind, data in cursor.fetchall():
            match decode_fact(kind, data):
                case MessageDelta() as delta:
                    found[delta.message].append(delta)
                case MessageCompleted(message=message):
                    del found[message]
                case _:
                    pass
    return [(message, _parts(deltas)) for message, deltas in found.items()]


def begun_messages(run: RunId, *, after: int) -> tuple[MessageId, ...]:
    """The Messages that the Run began above seq `after`."""
    return tuple(_begun(run, after=after))


def compact(session_id: SessionId, run: RunId) -> int:
    """Deletes the deltas of a Run that has ended: each of its Messages was completed or voided. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM event WHERE session_id = %s AND message_id = ANY(%s) AND kind = 'message.delta'",
            [session_id, list(_begun(run, after=0))],
        )
        return int(cursor.rowcount)


def bump_epoch() -> int:
    """Makes every cursor invalid, after the database was restored from a backup: readers start anew. Returns how many logs."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE session SET epoch = epoch + 1")
        return int(cursor.rowcount)


def merge(events: Iterable[Event]) -> list[Event]:
    """The same Events with neighbouring deltas of one part made one: seq of the last, offset of the first."""
    merged: list[Event] = []
    run: list[tuple[Event, MessageDelta]] = []
    for event in events:
        delta = decode_fact(event.kind, bytes(event.data)) if event.kind == MessageDelta.kind else None
        if run and not (isinstance(delta, MessageDelta) and _continues(run[-1][1], delta)):
            merged.append(_joined(run))
            run = []
        if isinstance(delta, MessageDelta):
            run.append((event, delta))
        else:
            merged.append(event)
    return [*merged, _joined(run)] if run else merged


def _append(
    statement: str,
    facts: Sequence[Fact],
    *,
    actor: Actor,
    run: RunId | None,
    session: SessionId,
    client: ClientId | None,
    fence: int = 0,
) -> Span | None:
    datas = [encode_fact(fact) for fact in facts]
    runs = [_run_of(fact, run) for fact in facts]
    arguments: dict[str, Any] = {
        "n": len(facts),
        "session": session,
        "run": run,
        "fence": fence,
        "said": any(not isinstance(fact, MessageDelta | RunProgressed) for fact in facts),
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_name": actor.name,
        "client": client,
        "kinds": [fact.kind for fact in facts],
        "runs": runs,
        "messages": [_message_of(fact) for fact in facts],
        "datas": [data.decode() for data in datas],
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        row = cursor.fetchone()
    if row is None:
        return None
    epoch, head, at = row
    start = head - len(facts)
    events = [
        Event(seq=start + n, kind=fact.kind, at=wire(at), actor=actor, run=of, data=Raw(data))
        for n, (fact, of, data) in enumerate(zip(facts, runs, datas, strict=True), start=1)
    ]
    span = Span(session=session, epoch=epoch, start=start, end=head, body=encode_events(events))
    transaction.on_commit(partial(hub.publish, span), robust=True)
    return span


def _run_of(fact: Fact, run: RunId | None) -> RunId | None:
    match fact:
        case RunRequested(run=requested):
            return requested
        case MessagePosted():
            return None
        case _:
            return run


def _message_of(fact: Fact) -> MessageId | None:
    match fact:
        case MessagePosted(message=message) | MessageStarted(message=message):
            return message
        case MessageDelta(message=message) | MessageCompleted(message=message):
            return message
        case _:
            return None


def _within(rows: Iterable[tuple[Any, ...]]) -> Iterable[Event]:
    size = 0
    for _, _, seq, kind, at, actor_kind, actor_id, actor_name, run, data in rows:
        size += len(data)
        if size > PAGE_BYTES and size > len(data):
            return
        actor = Actor(kind=actor_kind, id=actor_id, name=actor_name)
        yield Event(seq=seq, kind=kind, at=wire(at), actor=actor, run=run, data=Raw(data.encode()))


def _open(session_id: SessionId, *, until: int, messages: int) -> Page:
    with transaction.atomic():
        start = _boundary(session_id, until=until, messages=messages)
        pages = [read(session_id, after=start - 1, until=until)]
        while (last := pages[-1]).span.end < min(last.head, until):
            pages.append(read(session_id, after=last.span.end, until=until))
        older = start > 1 and _scalar(_BOUNDARY, session=session_id, until=start - 1, skip=0) is not None
    events = merge(event for page in pages for event in page.events)
    span = Span(
        session=session_id, epoch=last.span.epoch, start=start - 1, end=last.span.end, body=encode_events(events)
    )
    return Page(span=span, head=last.head, events=events, older=older)


def _boundary(session_id: SessionId, *, until: int, messages: int) -> int:
    """The seq to begin at so that no Message is cut: the wanted one's, or an earlier one's that was still open there."""
    start: int = _scalar(_BOUNDARY, session=session_id, until=until, skip=messages - 1) or 1
    if until == _FOREVER and (active := _scalar(_FIRST_ACTIVE, session=session_id)) is not None:
        start = min(start, _scalar(_BOUNDARY, session=session_id, until=active, skip=0) or 1)
    while (earlier := _scalar(_OPEN_AT, session=session_id, start=start, until=until)) is not None:
        start = earlier
    return start


def _scalar(statement: str, **arguments: Any) -> Any:  # noqa: ANN401  # one column of one row
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        row = cursor.fetchone()
    return row[0] if row else None


def _begun(run: RunId, *, after: int) -> Iterable[MessageId]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT message_id FROM event WHERE run_id = %s AND seq > %s AND kind = 'message.started' ORDER BY seq",
            [run, after],
        )
        return [MessageId(row[0]) for row in cursor.fetchall()]


def _parts(deltas: Iterable[MessageDelta]) -> tuple[Part, ...]:
    texts: dict[int, tuple[Any, list[str]]] = {}
    for delta in deltas:
        texts.setdefault(delta.part, (delta.part_type, []))[1].append(delta.text)
    return tuple(Part(type=kind, text="".join(pieces)) for _, (kind, pieces) in sorted(texts.items()))


def _continues(before: MessageDelta, after: MessageDelta) -> bool:
    return (
        before.message == after.message
        and before.part == after.part
        and after.offset == before.offset + len(before.text)
    )


def _joined(run: Sequence[tuple[Event, MessageDelta]]) -> Event:
    last, first = run[-1][0], run[0][1]
    if len(run) == 1:
        return last
    text = "".join(delta.text for _, delta in run)
    whole = MessageDelta(
        message=first.message, part=first.part, part_type=first.part_type, offset=first.offset, text=text
    )
    return Event(seq=last.seq, kind=last.kind, at=last.at, actor=last.actor, run=last.run, data=Raw(encode_fact(whole)))
