"""What a Run keeps for its later attempts, and an agent for its later Runs. The only writer of Step, Blob and AgentState.

Everything is fenced as the Events of the Run are: the statement that appends locks the Run's row and checks the fence, and what
is kept is written in the same transaction.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from django.db import connection, transaction
from django.db.models.functions import Now
from msgspec import UNSET, Raw, Struct

from sessions_core import log
from sessions_core.log import Write
from sessions_core.machines.feed import Span
from sessions_core.models import AgentState, Blob, Run
from sessions_core.protocol.claim import Claim, WriteGrant
from sessions_core.protocol.errors import Conflict, Fenced, TooLarge
from sessions_core.protocol.events import StateSaved, StepCompleted
from sessions_core.protocol.ids import SessionId
from sessions_core.protocol.run_states import RunState
from sessions_core.protocol.step_keys import SUMMARY

EVENT_BYTES: Final = 1024  # a result up to this size stands in the Event, too: readers of the log see it
ROW_BYTES: Final = 256 * 1024  # a larger result is kept as a Blob
RESULT_BYTES: Final = 16 * 1024 * 1024
PAGE_BYTES: Final = 256 * 1024  # of results that are read at once
STATE_BYTES: Final = 64 * 1024
TOO_MUCH_STATE: Final = "The agent wants to keep {kibibytes:.1f} KiB in this conversation; at most 64 KiB can be kept."

_KEEP: Final = """
    INSERT INTO step (session_id, run_id, key, ordinal, digest, fence, once, result, blob_id, size, failed, completed_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, CASE WHEN %s THEN now() END)
    ON CONFLICT (run_id, key) DO UPDATE SET fence = excluded.fence, result = excluded.result, blob_id = excluded.blob_id,
    size = excluded.size, failed = excluded.failed, completed_at = excluded.completed_at WHERE step.completed_at IS NULL
"""
_READ: Final = """
    SELECT key, digest, completed_at IS NOT NULL, failed, CASE WHEN bytes <= %(page)s THEN result::text END FROM (
        SELECT *, sum(size) FILTER (WHERE blob_id IS NULL) OVER (ORDER BY ordinal, key) AS bytes
        FROM step WHERE run_id = %(run)s
    ) step ORDER BY ordinal, key
"""
_READ_PAGE: Final = """
    SELECT step.key, result::text, blob.data FROM (
        SELECT step.*, sum(step.size) OVER (ORDER BY step.ordinal, step.key) AS bytes
        FROM step JOIN step asked ON asked.run_id = step.run_id AND asked.key = %(key)s
        WHERE step.run_id = %(run)s AND step.completed_at IS NOT NULL
        AND (step.key = asked.key OR ((step.ordinal, step.key) > (asked.ordinal, asked.key) AND step.blob_id IS NULL))
    ) step LEFT JOIN blob ON blob.id = blob_id
    WHERE bytes <= %(page)s OR step.key = %(key)s
"""
# Questions are asked, and signals and steers taken, under keys of the agent, too. A question that was forgotten, because the code
# of the agent has changed, has its id as its key.
_READ_OTHER_KEYS: Final = """
    SELECT key FROM ask WHERE run_id = %(run)s AND key <> id::text
    UNION SELECT consumed_by FROM signal WHERE run_id = %(run)s AND consumed_by IS NOT NULL
    UNION SELECT consumed_by FROM steer WHERE run_id = %(run)s AND consumed_by IS NOT NULL
"""


# `LIKE` is there for the index.
_SUMMARIES: Final = f"""
    SELECT step.key, result::text, blob.data FROM step JOIN run ON run.id = step.run_id LEFT JOIN blob ON blob.id = blob_id
    WHERE step.session_id = %(session)s AND step.key = ANY(%(keys)s) AND step.key LIKE '{SUMMARY}%%'
    AND run.agent = %(agent)s AND completed_at IS NOT NULL ORDER BY completed_at DESC
"""


class NewStep(Struct, frozen=True):
    """A Step to be kept. `result` is JSON, and None for one that only begins; `digest` is that of its input. `once`: it must not
    be done twice, which is said when it begins. `error`: the name of the class of the error that it has ended with, whose text is
    in the result.
    """

    key: str
    ordinal: int
    digest: str
    result: bytes | None
    once: bool = False
    error: str = ""

    @property
    def fact(self) -> StepCompleted:
        """The Event of a completed Step. The text of an error stays out of it: it may hold what no reader may see."""
        if self.error:
            return StepCompleted(key=self.key, error=self.error)
        result = self.result or b""
        if len(result) <= EVENT_BYTES:
            return StepCompleted(key=self.key, result=Raw(result))
        return StepCompleted(key=self.key, size=len(result))


class KeptStep(Struct, frozen=True):
    """A Step of an earlier attempt, or of this one before it waited. One that is not complete was begun and cut off. `result` is
    None where it has to be read by itself.
    """

    key: str
    digest: str
    is_complete: bool
    is_failed: bool
    result: bytes | None


def write_all(writes: Sequence[Write], steps: Sequence[NewStep | None]) -> list[Span | None]:
    """Appends for several Runs as `log.append_all` does, and keeps the Step of each write that has one."""
    if not any(steps):
        return log.append_all(writes)
    with transaction.atomic(durable=True):
        spans = log.append_all(writes)
        kept = [
            _row(write.grant, step)
            for write, step, span in zip(writes, steps, spans, strict=True)
            if step is not None and span is not None
        ]
        with connection.cursor() as cursor:
            cursor.executemany(_KEEP, kept)
    return spans


def read(claim: Claim) -> list[KeptStep]:
    """Returns the Steps that the Run has kept, in the order of their beginning, and the results of the first ones: PAGE_BYTES."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"run": claim.run, "page": PAGE_BYTES})
        return [
            KeptStep(key, digest, is_complete, is_failed, None if result is None else result.encode())
            for key, digest, is_complete, is_failed, result in cursor
        ]


def read_results(claim: Claim, key: str) -> dict[str, bytes]:
    """Returns the result of the complete Step with that key, as JSON, and with it those of the next ones: PAGE_BYTES in all. A
    Blob comes alone.
    """
    with connection.cursor() as cursor:
        cursor.execute(_READ_PAGE, {"run": claim.run, "key": key, "page": PAGE_BYTES})
        return {key: bytes(data) if data is not None else result.encode() for key, result, data in cursor}


def read_small_result(claim: Claim, key: str) -> bytes | None:
    """Returns the result of one Step, as JSON, which is no Blob; None when the Run has kept none under the key."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT result::text FROM step WHERE run_id = %s AND key = %s", [claim.run, key])
        row = cursor.fetchone()
        return row[0].encode() if row else None


def read_other_keys(claim: Claim) -> frozenset[str]:
    """Returns the keys under which the Run has asked people, and taken signals and steers."""
    with connection.cursor() as cursor:
        cursor.execute(_READ_OTHER_KEYS, {"run": claim.run})
        return frozenset(key for (key,) in cursor)


def find_summaries(session_id: SessionId, agent: str, keys: Sequence[str]) -> dict[str, bytes]:
    """Returns the results of the agent's Steps in this Session that have one of the keys, which begin with SUMMARY. Of several
    with one key the first counts.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SUMMARIES, {"session": session_id, "agent": agent, "keys": list(keys)})
        return {key: bytes(data) if data is not None else text.encode() for key, text, data in cursor.fetchall()}


def read_state(session_id: SessionId, agent: str) -> dict[str, Any]:
    """Returns what the agent keeps in the Session, by its names."""
    values = AgentState.objects.filter(session_id=session_id, agent=agent).values_list("value", flat=True).first()
    return values or {}


def save_state(claim: Claim, step: NewStep, *, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Changes what the agent keeps in the Session, and keeps the Step: the values `before` become those `after`; a name that is
    only in one of them is removed or added. A compare-and-set: raises Conflict when one of them is not as it was before. Raises
    Fenced, and TooLarge above STATE_BYTES.
    """
    with transaction.atomic(durable=True):
        held = Run.objects.select_for_update(no_key=True).filter(
            pk=claim.run, fence=claim.fence, state=RunState.RUNNING, cancel_requested_at=None
        )
        if held.first() is None:
            raise Fenced
        states = AgentState.objects.select_for_update()
        state, _ = states.get_or_create(session_id=claim.session, agent=claim.agent, defaults={"value": {}})
        values: dict[str, Any] = state.value
        if any(values.get(name, UNSET) != before.get(name, UNSET) for name in {**before, **after}):
            raise Conflict("Another answer has changed that meanwhile.")
        values = {name: value for name, value in values.items() if name not in before} | dict(after)
        size = len(msgspec.json.encode(values))
        if size > STATE_BYTES:
            raise TooLarge(TOO_MUCH_STATE.format(kibibytes=size / 1024))
        log.append_as(claim, [StateSaved(agent=claim.agent, size=size)])
        AgentState.objects.filter(pk=state.pk).update(value=values, saved_at=Now())
        with connection.cursor() as cursor:
            cursor.execute(_KEEP, _row(claim, step))


def _row(grant: WriteGrant, step: NewStep) -> tuple[Any, ...]:
    result, blob, size = None, None, None
    if step.result is not None:
        size = len(step.result)
        if size > ROW_BYTES:
            blob = Blob.objects.create(session_id=grant.session, data=step.result).pk
        else:
            result = step.result.decode()
    kept = (step.key, step.ordinal, step.digest, grant.fence, step.once)
    return (grant.session, grant.run, *kept, result, blob, size, bool(step.error), step.result is not None)
