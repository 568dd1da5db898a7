import asyncio
import logging
from enum import Enum
from typing import Any, Final

from agents.sdk.run import AgentRun
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import RunOutcome

GRACE_S: Final = 5.0  # for an agent to tidy up after it was cancelled; then its Run ends without it

logger = logging.getLogger(__name__)


class End(Enum):
    """Why a Run is ended from outside its agent."""

    CANCELLED = "somebody stopped it"
    FENCED = "the log refused a write: stopped, or another attempt's"
    LATE = "it took too long"
    LOST = "it is another attempt's now, or the database is away"
    RELEASED = "this worker is being stopped"


class Live:
    """A Run that is at work in this process."""

    def __init__(self, claim: Claim, *, grace_s: float = GRACE_S) -> None:
        self.claim = claim
        self._grace_s = grace_s
        self.why: End | None = None
        self.run: AgentRun | None = None
        self._loop = asyncio.get_running_loop()
        self._abandoned: asyncio.Future[None] = self._loop.create_future()
        self._task: asyncio.Task[RunOutcome] | None = None

    def stop(self, why: End) -> None:
        """Cancels the agent: asyncio.CancelledError at its next await. The first reason counts, and none after its end."""
        if self.why is not None or (self._task is not None and self._task.done()):
            return
        self.why = why
        if self._task is not None:
            self._task.cancel()
        self._loop.call_later(self._grace_s, self._abandon)

    async def outcome(self, task: asyncio.Task[RunOutcome], *, deadline_s: float) -> RunOutcome | None:
        """What the agent's task came to; None where it was stopped, or did not end in time after that."""
        self._task = task
        if self.why is not None:
            task.cancel()
        late = self._loop.call_later(deadline_s, self.stop, End.LATE)
        either: set[asyncio.Future[Any]] = {task, self._abandoned}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        late.cancel()
        if not task.done():
            logger.warning("The agent %s goes on after it was cancelled; its Run ends without it.", self.claim.agent)
            return None
        return None if task.cancelled() or self.why is not None else task.result()

    def _abandon(self) -> None:
        if not self._abandoned.done():
            self._abandoned.set_result(None)
