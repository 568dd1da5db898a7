"""Reads a range of a log. A page is bounded in the statement, so that what is not returned is not fetched either."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import connection
from msgspec import Raw, Struct

from sessions_core.machines.deltas import merge
from sessions_core.machines.feed import Span
from sessions_core.protocol.clock import wire
from sessions_core.protocol.errors import NotFound
from sessions_core.protocol.events import Actor, Event, encode_events
from sessions_core.protocol.ids import SessionId

PAGE_ROWS: Final = 1000  # of one read
PAGE_BYTES: Final = 256 * 1024  # of one read; two pages fit into a send buffer
EVENT_BYTES: Final = 256  # of an Event on the wire beside its data, roughly
FOREVER: Final = 2**62  # above every seq

# The first Event passes whatever its size is. The inner SELECT hands the large values on as pointers: `data::text`, which follows
# them, is evaluated for the returned rows only. `more`: the log has an Event after this one, up to `until`.
_READ: Final = f"""
    SELECT session.epoch, session.head, page.* FROM session LEFT JOIN LATERAL (
        SELECT seq, kind, at, actor_kind, actor_id, actor_name, run_id, data::text AS data, more FROM (
            SELECT seq, kind, at, actor_kind, actor_id, actor_name, run_id, data,
                   sum(size + {EVENT_BYTES}) OVER upward AS bytes, row_number() OVER upward AS place,
                   lead(seq) OVER upward IS NOT NULL AS more
            FROM event WHERE session_id = session.id AND seq > %(after)s AND seq <= %(until)s
            WINDOW upward AS (ORDER BY seq ROWS UNBOUNDED PRECEDING) ORDER BY seq LIMIT %(rows)s
        ) event WHERE bytes <= {PAGE_BYTES} OR place = 1
    ) page ON true WHERE session.id = %(session)s AND session.deleted_at IS NULL ORDER BY page.seq
"""


class LogPage(Struct, frozen=True):
    """The Events of a range, also encoded as a Span. `head` is the log's at that time; `older`: Messages precede the range."""

    span: Span
    head: int
    events: list[Event]
    older: bool = False


class Range(Struct, frozen=True):
    """One read, with neighbouring deltas joined. `end` is the cursor after it."""

    epoch: int
    head: int
    end: int
    events: list[Event]


def read(session_id: SessionId, *, after: int, limit: int = PAGE_ROWS) -> LogPage:
    """Reads the Events above the cursor `after`, and joins neighbouring deltas. The range ends at the head, or before it when
    `limit` rows or PAGE_BYTES were read. Raises NotFound.
    """
    return to_page(session_id, [read_range(session_id, after=after, rows=limit)], after=after)


def read_range(session_id: SessionId, *, after: int, until: int = FOREVER, rows: int = PAGE_ROWS) -> Range:
    """Reads on from the cursor, up to `until` at most. Raises NotFound."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"session": session_id, "after": after, "until": until, "rows": rows})
        found = cursor.fetchall()
    if not found:
        raise NotFound("There is no such conversation.")
    epoch, head = found[0][:2]
    events = [] if found[0][2] is None else merge([_event(row) for row in found])
    more = found[-1][-1]
    return Range(epoch, head, events[-1].seq if more else max(min(head, until), after), events)


def to_page(session_id: SessionId, ranges: Sequence[Range], *, after: int, older: bool = False) -> LogPage:
    """Joins ranges that follow each other; the first begins above `after`."""
    last = ranges[-1]
    events = ranges[0].events if len(ranges) == 1 else merge(list(_all_events(ranges)))
    span = Span(session=session_id, epoch=last.epoch, start=after, end=last.end, body=encode_events(events))
    return LogPage(span=span, head=last.head, events=events, older=older)


def _all_events(ranges: Iterable[Range]) -> Iterable[Event]:
    return (event for each in ranges for event in each.events)


def _event(row: tuple[Any, ...]) -> Event:
    _, _, seq, kind, at, actor_kind, actor_id, actor_name, run, data, _ = row
    actor = Actor(kind=actor_kind, id=actor_id, name=actor_name)
    return Event(seq=seq, kind=kind, at=wire(at), actor=actor, run=run, data=Raw(data.encode()))
