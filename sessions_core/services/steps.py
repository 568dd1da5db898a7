"""What a Run keeps for its later attempts, and an agent for its later Runs. The only writer of Step, Blob and AgentState.

Everything is fenced as the Events of the Run are: the statement that appends locks the Run's row and checks the fence, and what
is kept is written in the same transaction.
"""

from collections.abc import Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.db.models.functions import Now
from msgspec import Raw, Struct

from sessions_core import log
from sessions_core.log import Write
from sessions_core.machines.feed import Span
from sessions_core.models import AgentState, Blob
from sessions_core.protocol.claim import Claim, WriteGrant
from sessions_core.protocol.events import StateSaved, StepCompleted
from sessions_core.protocol.ids import SessionId

EVENT_BYTES: Final = 1024  # a result up to this size stands in the Event, too: readers of the log see it
ROW_BYTES: Final = 256 * 1024  # a larger result is kept as a Blob
RESULT_BYTES: Final = 16 * 1024 * 1024
PAGE_BYTES: Final = 256 * 1024  # of results that are read at once
STATE_BYTES: Final = 64 * 1024

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


def read_other_keys(claim: Claim) -> frozenset[str]:
    """Returns the keys under which the Run has asked people, and taken signals and steers."""
    with connection.cursor() as cursor:
        cursor.execute(_READ_OTHER_KEYS, {"run": claim.run})
        return frozenset(key for (key,) in cursor)


def read_state(session_id: SessionId, agent: str) -> object:
    """Returns what the agent keeps in the Session, None if that is nothing."""
    return AgentState.objects.filter(session_id=session_id, agent=agent).values_list("value", flat=True).first()


def save_state(claim: Claim, value: object, *, size: int) -> None:
    """Replaces what the agent keeps in the Session, `size` bytes as JSON. Raises Fenced."""
    with transaction.atomic(durable=True):
        log.append_as(claim, [StateSaved(agent=claim.agent, size=size)])
        AgentState.objects.update_or_create(
            session_id=claim.session, agent=claim.agent, defaults={"value": value, "saved_at": Now()}
        )


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
