"""The right of one attempt to write a Run's Events. The log checks it in the statement that appends."""

from datetime import datetime

from msgspec import Struct

from sessions_core.protocol.events import Actor
from sessions_core.protocol.ids import MessageId, RunId, SessionId
from sessions_core.protocol.spent import NOTHING, Spent


class WriteGrant(Struct, frozen=True):
    """The right to write as an attempt of a Run. It ends when a newer attempt raises the Run's `fence` (a fencing token)."""

    session: SessionId
    run: RunId
    fence: int
    actor: Actor


class Claim(WriteGrant, frozen=True):
    """One attempt of a Run that a worker has claimed. `attempt` counts from 1. `is_resumed`: the Run has waited, and the attempt
    goes on. `claimed_at`: since when the worker has it, by the database's clock. `worked_s` and `spent`: what the Run has taken
    before, without the time that it waited.
    """

    agent: str
    attempt: int
    replies_to: MessageId | None
    is_resumed: bool = False
    claimed_at: datetime | None = None
    worked_s: float = 0.0
    spent: Spent = NOTHING
