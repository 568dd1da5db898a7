"""Finds where a Message hangs in the conversation (docs/topics/branches.md). The fold is `protocol.branches`.

The caller holds the lock of the Session's row where what it finds must be true until its commit.
"""

from typing import Final

from django.db import connection
from msgspec import Struct

from sessions_core.protocol.events import MessageStarted, decode_fact
from sessions_core.protocol.ids import BEGINNING, MessageId, RunId, SessionId

# Whether the Event {0}, which is about a Message of a person, puts it into the conversation.
_PLACES: Final = """
    CASE {0}.kind WHEN 'run.steered' THEN {0}.data->>'queued' IS NULL
                  ELSE 'sent' IN ({0}.data->>'state', {0}.data->>'reason') END
"""
# Whether the Message that the Event {0} begins is still there.
_NOT_VOIDED: Final = """
    NOT EXISTS (SELECT FROM event voiding WHERE voiding.run_id = {0}.run_id AND voiding.seq > {0}.seq
                AND voiding.kind = 'run.restarted'
                AND {0}.message_id::text IN (SELECT json_array_elements_text(voiding.data->'voided')))
"""
# Whether something was said in the Answer that `run` was the first to try. Two look-ups: with OR no index would serve.
_HAS_SAID: Final = f"""
    (EXISTS (SELECT FROM event said WHERE said.run_id = run.id AND said.kind = 'message.started' AND {_NOT_VOIDED.format("said")})
     OR EXISTS (SELECT FROM run tried JOIN event said ON said.run_id = tried.id AND said.kind = 'message.started'
                WHERE tried.retry_of = run.id AND {_NOT_VOIDED.format("said")}))
"""
# `newest`: the Message that was sent last, or the Run that began last to answer one anew; `answer`: with its Answer. Then what
# was said last in that Answer. So what a Run says that has slept, while others have gone on, is not the end.
_END: Final = f"""
    WITH newest AS MATERIALIZED (
        SELECT event.seq, event.kind = 'run.started' AS is_run, event.message_id, event.run_id, run.replies_to
        FROM event LEFT JOIN run ON run.id = event.run_id
        WHERE event.session_id = %(session)s
        AND event.kind IN ('message.posted', 'message.dequeued', 'run.steered', 'run.started')
        AND CASE event.kind
            WHEN 'run.started' THEN run.parent_id IS NULL AND run.retry_of IS NULL AND run.replies_to IS NOT NULL
                                    AND (run.ended_at IS NULL OR {_HAS_SAID})
            WHEN 'run.steered' THEN event.data->>'consumed' = 'false' AND event.data->>'queued' IS NULL
            ELSE {_PLACES.format("event")} END
        ORDER BY event.seq DESC LIMIT 1
    ), answer AS MATERIALIZED (
        SELECT newest.*, CASE WHEN newest.is_run THEN newest.run_id ELSE (
            SELECT run.id FROM run WHERE run.session_id = %(session)s AND run.asked_seq > newest.seq
            AND run.replies_to = newest.message_id AND run.retry_of IS NULL ORDER BY run.asked_seq LIMIT 1) END AS id
        FROM newest)
    SELECT coalesce((
        SELECT said.message_id FROM event said JOIN run ON run.id = said.run_id
        WHERE said.session_id = %(session)s AND said.seq > answer.seq AND coalesce(run.retry_of, run.id) = answer.id
        AND said.kind IN ('message.started', 'run.steered')
        AND CASE said.kind WHEN 'run.steered' THEN said.data->>'consumed' = 'true' ELSE {_NOT_VOIDED.format("said")} END
        ORDER BY said.seq DESC LIMIT 1
    ), CASE WHEN answer.is_run THEN answer.replies_to ELSE answer.message_id END) FROM answer
"""
_STANDS: Final = f"""
    SELECT bool_or(coalesce(
        CASE kind WHEN 'message.started' THEN {_NOT_VOIDED.format("event")} ELSE {_PLACES.format("event")} END, false))
    FROM event WHERE session_id = %s
    AND message_id = %s AND kind IN ('message.posted', 'message.dequeued', 'message.started', 'run.steered')
"""
_BEGUN: Final = f"""
    SELECT kind, data::text, run_id FROM event WHERE session_id = %s AND message_id = %s
    AND kind IN ('message.posted', 'message.started') AND (kind = 'message.posted' OR {_NOT_VOIDED.format("event")})
"""


class Said(Struct, frozen=True):
    """The beginning of an agent's Message, and the Run that says it."""

    started: MessageStarted
    run: RunId


def find_end(session_id: SessionId) -> MessageId | None:
    """Returns the last Message of the active branch, which the next one follows."""
    with connection.cursor() as cursor:
        cursor.execute(_END, {"session": session_id})
        row = cursor.fetchone()
    return MessageId(row[0]) if row and row[0] else None


def stands(session_id: SessionId, message: MessageId) -> bool | None:
    """Returns whether the Message has its place in the conversation: it does not wait to be sent, was not taken back and not
    voided. None: it is no Message of this Session.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STANDS, [session_id, message])
        [found] = cursor.fetchone()
    return None if found is None else bool(found)


def find_parent(session_id: SessionId, named: MessageId | None) -> MessageId | None:
    """Returns what a Message follows that is sent now: the `named` one, none at the BEGINNING, or else the end of the active
    branch; also when the named one has been voided since.
    """
    if named == BEGINNING:
        return None
    return named if named is not None and stands(session_id, named) else find_end(session_id)


def find_said(session_id: SessionId, message: MessageId) -> Said | None:
    """Returns the beginning of an agent's Message; None where a person has written it. Raises LookupError when it is no Message
    of this Session, or was voided.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BEGUN, [session_id, message])
        row = cursor.fetchone()
    if row is None:
        raise LookupError(message)
    kind, data, run = row
    fact = decode_fact(kind, data)
    return Said(fact, RunId(run)) if isinstance(fact, MessageStarted) else None
