"""Finds in logs: their heads, and what one command or one Run has appended."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, TypeVar

from django.db import connection
from msgspec import Struct

from sessions_core.protocol.errors import BadField, NotFound
from sessions_core.protocol.events import (
    Actor,
    Fact,
    MessageCompleted,
    MessageDelta,
    MessagePosted,
    Part,
    RunRestarted,
    ToolCalled,
    ToolFailed,
    ToolReturned,
    decode_fact,
)
from sessions_core.protocol.ids import ClientId, MessageId, RunId, SessionId, UserId

F = TypeVar("F", bound=Fact)


class Position(Struct, frozen=True):
    """The newest seq of a log, in its epoch."""

    epoch: int
    head: int


def heads(session_ids: Iterable[SessionId]) -> dict[SessionId, Position]:
    """Returns the Position of each log, by one query. Sessions that were deleted are left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, epoch, head FROM session WHERE id = ANY(%s) AND deleted_at IS NULL", [list(session_ids)]
        )
        return {SessionId(row[0]): Position(epoch=row[1], head=row[2]) for row in cursor.fetchall()}


def find_command(session_id: SessionId, client_id: ClientId, kind: type[F], *, by: UserId) -> tuple[int, F] | None:
    """Returns the seq and the fact of the Event that the command with this client id appended, or None when it was not carried
    out yet (P5). Raises BadField when the id was used for a command of another kind, and NotFound when somebody else used it:
    every reader of the log sees the client ids.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq, kind, data::text, actor_kind = 'user' AND actor_id = %s FROM event"
            " WHERE session_id = %s AND client_id = %s",
            [str(by), session_id, client_id],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    seq, name, data, is_own = row
    if not is_own:
        raise NotFound("There is no such command of yours in this conversation.")
    fact = decode_fact(name, data)
    if not isinstance(fact, kind):
        raise BadField("That id was used for another command already.")
    return seq, fact


_MESSAGES_OF = """
    SELECT started.message_id, EXISTS (
        SELECT FROM event WHERE session_id = started.session_id AND message_id = started.message_id
        AND kind = 'message.completed'), run.attempt_seq
    FROM event started JOIN run ON run.id = started.run_id
    WHERE started.run_id = %(run)s AND started.session_id = %(session)s AND started.kind = 'message.started'
    ORDER BY started.seq
"""


def actor_of(session_id: SessionId, seq: int) -> Actor:
    """Returns the cause of the Event."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT actor_kind, actor_id, actor_name FROM event WHERE session_id = %s AND seq = %s", [session_id, seq]
        )
        return Actor(*cursor.fetchone())


def text_of(session_id: SessionId, message: MessageId) -> str | None:
    """Returns the text of a posted Message."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT data::text FROM event WHERE session_id = %s AND message_id = %s AND kind = 'message.posted'",
            [session_id, message],
        )
        row = cursor.fetchone()
    fact = decode_fact(MessagePosted.kind, row[0]) if row else None
    return "\n\n".join(part.text for part in fact.parts) if isinstance(fact, MessagePosted) else None


def open_messages(session_id: SessionId, run: RunId, *, after: int) -> list[tuple[MessageId, tuple[Part, ...]]]:
    """Returns the Messages that the Run started above seq `after` and has neither completed nor voided, with the parts of their
    deltas.
    """
    started = started_messages(run, after=after)
    voided = _voided(run, after=after) if started else set()
    found: dict[MessageId, list[MessageDelta]] = {message: [] for message in started if message not in voided}
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


def messages_of(session_id: SessionId, run: RunId) -> list[tuple[MessageId, bool, tuple[Part, ...]]]:
    """Returns the Messages of the Run that were not voided, in the order of their beginning: whether each is complete, and the
    parts so far of one that is not. That one was begun by the present attempt, otherwise it was voided.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MESSAGES_OF, {"session": session_id, "run": run})
        rows = cursor.fetchall()
    still_open = dict(open_messages(session_id, run, after=rows[0][2])) if rows else {}
    voided = _voided(run, after=0) if rows else set()
    return [
        (MessageId(message), is_complete, still_open.get(message, ()))
        for message, is_complete, _ in rows
        if message not in voided and (is_complete or message in still_open)
    ]


def started_messages(run: RunId, *, after: int) -> tuple[MessageId, ...]:
    """Returns the Messages that the Run started above seq `after`, in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT message_id FROM event WHERE run_id = %s AND seq > %s AND kind = 'message.started' ORDER BY seq",
            [run, after],
        )
        return tuple(MessageId(row[0]) for row in cursor.fetchall())


def open_calls(run: RunId, *, after: int) -> list[ToolCalled]:
    """Returns the tool calls that the Run began above seq `after` and that have neither returned nor failed, in order. Those that
    were voided are left out.
    """
    found: dict[str, ToolCalled] = {}
    for fact in _call_facts(run, after=after):
        match fact:
            case ToolCalled(call=call):
                found[call] = fact
            case ToolReturned(call=call) | ToolFailed(call=call):
                found.pop(call, None)
            case RunRestarted(voided_calls=calls):
                for call in calls:
                    found.pop(call, None)
            case _:
                pass
    return list(found.values())


def calls_in(run: RunId, messages: Collection[MessageId], *, after: int) -> tuple[str, ...]:
    """Returns the tool calls that the Run began above seq `after` in one of the Messages."""
    called = (fact for fact in _call_facts(run, after=after) if isinstance(fact, ToolCalled))
    return tuple(dict.fromkeys(fact.call for fact in called if fact.message in messages))


def _voided(run: RunId, *, after: int) -> set[MessageId]:
    restarts = (fact for fact in _call_facts(run, after=after) if isinstance(fact, RunRestarted))
    return {message for fact in restarts for message in fact.voided}


def _call_facts(run: RunId, *, after: int) -> Iterator[Fact]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, data::text FROM event WHERE run_id = %s AND seq > %s"
            " AND kind IN ('run.restarted', 'tool.called', 'tool.failed', 'tool.returned') ORDER BY seq",
            [run, after],
        )
        rows = cursor.fetchall()
    for kind, data in rows:
        if (fact := decode_fact(kind, data)) is not None:
            yield fact


def _parts(deltas: Iterable[MessageDelta]) -> tuple[Part, ...]:
    texts: dict[int, tuple[Any, list[str]]] = {}
    for delta in deltas:
        texts.setdefault(delta.part, (delta.part_type, []))[1].append(delta.text)
    return tuple(Part(type=kind, text="".join(pieces)) for _, (kind, pieces) in sorted(texts.items()))
