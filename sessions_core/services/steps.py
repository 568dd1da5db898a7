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
STATE_BYTES: Final = 64 * 1024

_KEEP: Final = """
    INSERT INTO step (session_id, run_id, key, ordinal, digest, fence, once, result, blob_id, size, completed_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, CASE WHEN %s THEN now() END)
    ON CONFLICT (run_id, key) DO UPDATE SET fence = excluded.fence, result = excluded.result, blob_id = excluded.blob_id,
    size = excluded.size, completed_at = excluded.completed_at WHERE step.completed_at IS NULL
"""


class NewStep(Struct, frozen=True):
    """A Step to be kept. `result` is JSON, and None for one that only begins; `digest` is that of its input. `once`: it must not
    be done twice, which is said when it begins.
    """

    key: str
    ordinal: int
    digest: str
    result: bytes | None
    once: bool = False

    @property
    def fact(self) -> StepCompleted:
        """The Event of a completed Step."""
        result = self.result or b""
        if len(result) <= EVENT_BYTES:
            return StepCompleted(key=self.key, result=Raw(result))
        return StepCompleted(key=self.key, size=len(result))


class KeptStep(Struct, frozen=True):
    """A Step of an earlier attempt, or of this one before it waited. `result` is None when it was begun and not completed."""

    key: str
    digest: str
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
    """Returns the Steps that the Run has kept, in the order of their beginning."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT step.key, digest, completed_at IS NOT NULL, result::text, blob.data FROM step"
            " LEFT JOIN blob ON blob.id = blob_id WHERE run_id = %s ORDER BY ordinal",
            [claim.run],
        )
        return [
            KeptStep(key=key, digest=digest, result=_result(text, data) if is_complete else None)
            for key, digest, is_complete, text, data in cursor.fetchall()
        ]


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
    return (grant.session, grant.run, *kept, result, blob, size, step.result is not None)


def _result(text: str | None, data: memoryview | None) -> bytes:
    return bytes(data) if data is not None else (text or "null").encode()
