"""Reads logs: by range, from the beginning of a Message, and what one command or Run has appended."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

from django.db import connection, transaction
from msgspec import Raw, Struct

from sessions_core.machines.deltas import merge
from sessions_core.machines.feed import Span
from sessions_core.protocol import run_states
from sessions_core.protocol.clock import wire
from sessions_core.protocol.errors import BadField, NotFound
from sessions_core.protocol.events import (
    Actor,
    Event,
    Fact,
    MessageCompleted,
    MessageDelta,
    Part,
    decode_fact,
    encode_events,
)
from sessions_core.protocol.ids import ClientId, MessageId, RunId, SessionId

PAGE_ROWS: Final = 1000  # of one read
PAGE_BYTES: Final = 512 * 1024  # of data in one read, so that a page fits into a send buffer
_FOREVER: Final = 2**62  # above every seq

_READ: Final = """
    SELECT session.epoch, session.head, page.* FROM session LEFT JOIN LATERAL (
        SELECT seq, kind, at, actor_kind, actor_id, actor_name, run_id, data::text AS data FROM event
        WHERE session_id = session.id AND seq > %(after)s AND seq <= %(until)s ORDER BY seq LIMIT %(limit)s
    ) page ON true WHERE session.id = %(session)s ORDER BY page.seq
"""
# The seq of the (`skip` + 1)-th newest Message that begins at or below `until`.
_BOUNDARY: Final = """
    SELECT seq FROM event WHERE session_id = %(session)s AND seq <= %(until)s
    AND kind IN ('message.posted', 'message.started') ORDER BY seq DESC OFFSET %(skip)s LIMIT 1
"""
# The earliest beginning of a Message that is open at seq `start`: it begins before it and goes on after it. LATERAL with LIMIT
# makes this one look-up for each Message of the page. Naming the index's kinds and order keeps the planner, while it has no
# statistics, from reading every earlier Message (with 10,000 Messages that takes 6 times as long).
_OPEN_AT: Final = """
    SELECT min(begun.seq) FROM (
        SELECT DISTINCT message_id FROM event
        WHERE session_id = %(session)s AND seq >= %(start)s AND seq <= %(until)s
        AND message_id IS NOT NULL AND kind IN ('message.completed', 'message.delta')
    ) written CROSS JOIN LATERAL (
        SELECT seq FROM event WHERE session_id = %(session)s AND message_id = written.message_id AND seq < %(start)s
        AND kind IN ('message.posted', 'message.started', 'message.completed') ORDER BY message_id, seq LIMIT 1
    ) begun
"""
_FIRST_ACTIVE: Final = f"""
    SELECT min(asked_seq) FROM run WHERE session_id = %(session)s AND state IN ({run_states.sql(run_states.ACTIVE)})
"""

F = TypeVar("F", bound=Fact)


class LogPage(Struct, frozen=True):
    """The Events of a range, also encoded as a Span. `head` is the log's at that time; `older`: Messages precede the range."""

    span: Span
    head: int
    events: list[Event]
    older: bool = False


class _Range(Struct, frozen=True):
    """One read. `end` is the cursor after it."""

    epoch: int
    head: int
    end: int
    events: list[Event]


class Position(Struct, frozen=True):
    """The newest seq of a log, in its epoch."""

    epoch: int
    head: int


def read(session_id: SessionId, *, after: int, until: int = _FOREVER, limit: int = PAGE_ROWS) -> LogPage:
    """Reads the Events above the cursor `after`, and joins neighbouring deltas. The range ends at the head or at `until`, or
    before it when `limit` rows or PAGE_BYTES were read. Raises NotFound.
    """
    return _page(session_id, [_read_range(session_id, after=after, until=until, limit=limit)], after=after)


def open_last(session_id: SessionId, *, messages: int) -> LogPage:
    """Reads from the beginning of a Message to the head: at least the newest Messages, and all whose Runs have not ended. For a
    reader without a cursor. Raises NotFound.
    """
    return _open(session_id, until=_FOREVER, messages=messages)


def open_before(session_id: SessionId, *, before: int, messages: int) -> LogPage:
    """Reads the Messages before the cursor `before`, at which another page begins. Raises NotFound."""
    return _open(session_id, until=before, messages=messages)


def heads(session_ids: Iterable[SessionId]) -> dict[SessionId, Position]:
    """Returns the Position of each log, by one query. Sessions that are gone are left out."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, epoch, head FROM session WHERE id = ANY(%s)", [list(session_ids)])
        return {SessionId(row[0]): Position(epoch=row[1], head=row[2]) for row in cursor.fetchall()}


def find_command(session_id: SessionId, client_id: ClientId, kind: type[F]) -> tuple[int, F] | None:
    """Returns the seq and the fact of the Event that the command with this client id appended, or None when it was not carried
    out yet (P5). Raises BadField when the id was used for a command of another kind.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq, kind, data::text FROM event WHERE session_id = %s AND client_id = %s", [session_id, client_id]
        )
        row = cursor.fetchone()
    if row is None:
        return None
    fact = decode_fact(row[1], row[2])
    if not isinstance(fact, kind):
        raise BadField("That id was used for another command already.")
    return row[0], fact


def find_newest_message(session_id: SessionId) -> MessageId | None:
    """Returns the Message that began last."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT message_id FROM event WHERE session_id = %s AND kind IN ('message.posted', 'message.started')"
            " ORDER BY seq DESC LIMIT 1",
            [session_id],
        )
        row = cursor.fetchone()
    return MessageId(row[0]) if row else None


def has_message(session_id: SessionId, message: MessageId) -> bool:
    """Returns whether the Message is in this log."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM event WHERE session_id = %s AND message_id = %s LIMIT 1", [session_id, message])
        return cursor.fetchone() is not None


def open_messages(session_id: SessionId, run: RunId, *, after: int) -> list[tuple[MessageId, tuple[Part, ...]]]:
    """Returns the Messages that the Run started above seq `after` and has not completed, with the parts of their deltas."""
    found: dict[MessageId, list[MessageDelta]] = {message: [] for message in started_messages(run, after=after)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, data::text FROM event WHERE session_id = %s AND seq > %s AND message_id = ANY(%s)"
            " AND kind IN ('message.delta', 'message.completed') ORDER BY seq",
            [session_id, after, list(found)],
        )
        for kind, data in cursor.fetchall():
            match decode_fact(kind, data):
                case MessageDelta() as delta if delta.message in found:
                    found[delta.message].append(delta)
                case MessageCompleted(message=message):
                    found.pop(message, None)
                case _:
                    pass
    return [(message, _parts(deltas)) for message, deltas in found.items()]


def started_messages(run: RunId, *, after: int) -> tuple[MessageId, ...]:
    """Returns the Messages that the Run started above seq `after`, in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT message_id FROM event WHERE run_id = %s AND seq > %s AND kind = 'message.started' ORDER BY seq",
            [run, after],
        )
        return tuple(MessageId(row[0]) for row in cursor.fetchall())


def _read_range(session_id: SessionId, *, after: int, until: int, limit: int = PAGE_ROWS) -> _Range:
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"session": session_id, "after": after, "until": until, "limit": limit})
        rows = cursor.fetchall()
    if not rows:
        raise NotFound("There is no such conversation.")
    epoch, head = rows[0][:2]
    events = list(_events(rows)) if rows[0][2] is not None else []
    complete = len(events) == len(rows) < limit or not events
    return _Range(epoch, head, max(min(head, until), after) if complete else events[-1].seq, events)


def _page(session_id: SessionId, ranges: Sequence[_Range], *, after: int, older: bool = False) -> LogPage:
    """Joins ranges that follow each other; the first begins above `after`."""
    last = ranges[-1]
    events = merge([event for one in ranges for event in one.events])
    span = Span(session=session_id, epoch=last.epoch, start=after, end=last.end, body=encode_events(events))
    return LogPage(span=span, head=last.head, events=events, older=older)


def _events(rows: Iterable[tuple[Any, ...]]) -> Iterable[Event]:
    """Yields the rows of `_READ` as Events: PAGE_BYTES of data at most, but always one."""
    size = 0
    for _, _, seq, kind, at, actor_kind, actor_id, actor_name, run, data in rows:
        size += len(data)
        if size > PAGE_BYTES and size > len(data):
            return
        actor = Actor(kind=actor_kind, id=actor_id, name=actor_name)
        yield Event(seq=seq, kind=kind, at=wire(at), actor=actor, run=run, data=Raw(data.encode()))


def _open(session_id: SessionId, *, until: int, messages: int) -> LogPage:
    with transaction.atomic():
        start = _boundary(session_id, until=until, messages=messages)
        ranges = [_read_range(session_id, after=start - 1, until=until)]
        while (last := ranges[-1]).end < min(last.head, until):
            ranges.append(_read_range(session_id, after=last.end, until=until))
        older = start > 1 and _scalar(_BOUNDARY, session=session_id, until=start - 1, skip=0) is not None
    return _page(session_id, ranges, after=start - 1, older=older)


def _boundary(session_id: SessionId, *, until: int, messages: int) -> int:
    """Returns the seq to begin at so that no Message is cut: that of the oldest wanted Message, or of an earlier one that is open
    there.
    """
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


def _parts(deltas: Iterable[MessageDelta]) -> tuple[Part, ...]:
    texts: dict[int, tuple[Any, list[str]]] = {}
    for delta in deltas:
        texts.setdefault(delta.part, (delta.part_type, []))[1].append(delta.text)
    return tuple(Part(type=kind, text="".join(pieces)) for _, (kind, pieces) in sorted(texts.items()))
