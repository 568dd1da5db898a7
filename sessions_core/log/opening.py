"""Opens a log without a cursor: finds where to begin so that no Message is cut, and reads on from there."""

from typing import Any, Final

from django.db import connection, transaction

from sessions_core.log.ranges import EVENT_BYTES, FOREVER, LogPage, read_range, to_page
from sessions_core.protocol import run_states
from sessions_core.protocol.ids import SessionId

SCREEN_BYTES: Final = 2 * 1024 * 1024  # of one screen of Messages
ACTIVE_FACTOR: Final = 2  # a screen may have so many times its size, if that shows the Runs that have not ended

BEGINNINGS: Final = "('message.posted', 'message.started', 'message.dequeued')"
# The seq of the (`skip` + 1)-th newest Message that begins at or below `until`. A queued one begins where it is sent.
_BOUNDARY: Final = f"""
    SELECT seq FROM event WHERE session_id = %(session)s AND seq <= %(until)s AND kind IN {BEGINNINGS}
    AND CASE kind WHEN 'message.posted' THEN data->>'state' <> 'queued'
                  WHEN 'message.dequeued' THEN data->>'reason' = 'sent' ELSE true END
    ORDER BY seq DESC OFFSET %(skip)s LIMIT 1
"""
# `start`, or the seq of the oldest Message after it, from which on the log has at most `size` bytes up to `until`. Each row
# counts as EVENT_BYTES at least, so `rows` bounds what is looked at.
_FITTING: Final = f"""
    SELECT min(seq) FROM (
        SELECT seq, kind, sum(size + {EVENT_BYTES}) OVER (ORDER BY seq DESC ROWS UNBOUNDED PRECEDING) AS bytes FROM event
        WHERE session_id = %(session)s AND seq >= %(start)s AND seq <= %(until)s ORDER BY seq DESC LIMIT %(rows)s
    ) newest WHERE bytes <= %(size)s AND (seq = %(start)s OR kind IN {BEGINNINGS})
"""
# The first seq of the earliest Message that is open at seq `start`: one that begins before `start` and goes on after it, or was
# posted to a Run at work and is read after it.
# LATERAL with LIMIT makes this one look-up for each Message of the page. Naming the index's kinds and order keeps the planner,
# while it has no statistics, from reading every earlier Message (with 10,000 Messages that takes 6 times as long).
_OPEN_AT: Final = """
    SELECT min(begun.seq) FROM (
        SELECT DISTINCT message_id FROM event
        WHERE session_id = %(session)s AND seq >= %(start)s AND seq <= %(until)s
        AND message_id IS NOT NULL AND kind IN ('message.completed', 'message.delta', 'run.steered')
    ) written CROSS JOIN LATERAL (
        SELECT seq FROM event WHERE session_id = %(session)s AND message_id = written.message_id AND seq < %(start)s
        AND kind IN ('message.posted', 'message.started', 'message.completed') ORDER BY message_id, seq LIMIT 1
    ) begun
"""
# Of the Runs that have not ended, and of the pause of the queue.
_FIRST_ACTIVE: Final = f"""
    SELECT least((SELECT min(asked_seq) FROM run
                  WHERE session_id = %(session)s AND state IN ({run_states.sql(run_states.ACTIVE)})),
                 (SELECT queue_paused_seq FROM session WHERE id = %(session)s))
"""


def cold_start(session_id: SessionId, *, messages: int) -> LogPage:
    """Reads the first page of a cold start: it begins with the newest Messages, and all whose Runs have not ended. It is
    bounded like every read; a reader goes on from its end. Raises NotFound.
    """
    with transaction.atomic():
        start = min(_newest(session_id, FOREVER, messages), _first_active(session_id))
        start = _whole(session_id, start, FOREVER)
        page = read_range(session_id, after=start - 1)
        older = _is_older(session_id, start)
    return to_page(session_id, [page], after=start - 1, older=older)


def open_last(session_id: SessionId, *, messages: int | None = None, size: int = SCREEN_BYTES) -> LogPage:
    """Reads a screen up to the head: the newest Messages, as many as have `size` bytes together but at least two, and those
    whose Runs have not ended. Raises NotFound.
    """
    with transaction.atomic():
        start = _fitting(session_id, FOREVER, _newest(session_id, FOREVER, messages), size)
        if (active := _first_active(session_id)) < start:
            start = min(start, _fitting(session_id, FOREVER, active, ACTIVE_FACTOR * size))
        return _read_all(session_id, start, FOREVER)


def open_before(
    session_id: SessionId, *, before: int, messages: int | None = None, size: int = SCREEN_BYTES
) -> LogPage:
    """Reads the screen before the cursor `before`, at which another one begins. Raises NotFound."""
    with transaction.atomic():
        start = _fitting(session_id, before, _newest(session_id, before, messages), size)
        return _read_all(session_id, start, before)


def _newest(session_id: SessionId, until: int, messages: int | None) -> int:
    """Returns the seq at which so many newest Messages begin; 1 for all of them."""
    return 1 if messages is None else _boundary(session_id, until, skip=messages - 1)


def _fitting(session_id: SessionId, until: int, start: int, size: int) -> int:
    """Returns `start`, or the seq at which the newest Messages begin that fit into `size` bytes. Where not even one fits, two
    do: an answer comes with what it answers, and with the beginning of its Run between them.
    """
    limits = {"start": start, "size": size, "rows": size // EVENT_BYTES + 1}
    return _scalar(_FITTING, session=session_id, until=until, **limits) or _boundary(session_id, until, skip=1)


def _first_active(session_id: SessionId) -> int:
    """Returns the seq at which the first Message begins whose Run has not ended, or that is before the pause of the queue;
    FOREVER if there is none.
    """
    active = _scalar(_FIRST_ACTIVE, session=session_id)
    return FOREVER if active is None else _boundary(session_id, active, skip=0)


def _whole(session_id: SessionId, start: int, until: int) -> int:
    """Returns `start`, or the earlier beginning of a Message that is open there, so that none is cut."""
    while (earlier := _scalar(_OPEN_AT, session=session_id, start=start, until=until)) is not None:
        start = earlier
    return start


def _read_all(session_id: SessionId, start: int, until: int) -> LogPage:
    start = _whole(session_id, start, until)
    ranges = [read_range(session_id, after=start - 1, until=until)]
    while (last := ranges[-1]).end < min(last.head, until):
        ranges.append(read_range(session_id, after=last.end, until=until))
    return to_page(session_id, ranges, after=start - 1, older=_is_older(session_id, start))


def _boundary(session_id: SessionId, until: int, *, skip: int) -> int:
    return int(_scalar(_BOUNDARY, session=session_id, until=until, skip=skip) or 1)


def _is_older(session_id: SessionId, start: int) -> bool:
    return start > 1 and _scalar(_BOUNDARY, session=session_id, until=start - 1, skip=0) is not None


def _scalar(statement: str, **arguments: Any) -> Any:  # noqa: ANN401  # one column of one row
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        row = cursor.fetchone()
    return row[0] if row else None
