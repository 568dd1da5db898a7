"""The call of a tool that the present task performs, for what the AgentRun tells it and says for it."""

from contextvars import ContextVar
from typing import Final

from msgspec import Struct

from sessions_core.protocol.ids import MessageId


class CallContext(Struct, frozen=True):
    """One call of a tool. `id` stays the same over all attempts, and so does `step`, the key of its Step. `is_approved`: a person
    has approved it.
    """

    id: str
    step: str
    message: MessageId
    is_approved: bool = False


# Tasks that a tool starts inherit it.
current: Final[ContextVar[CallContext | None]] = ContextVar("tool call", default=None)
