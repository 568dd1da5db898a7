import asyncio
import logging
from enum import Enum
from typing import Any, Final

from agents.sdk.run import AgentRun
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import RunOutcome

GRACE_S: Final = 5.0  # for an agent to clean up after it was cancelled; then its Run ends without it

logger = logging.getLogger(__name__)


class StopReason(Enum):
    """Why an attempt is ended from outside its agent."""

    CANCELLED = "a person pressed Stop"
    FENCED = "the log refused a write: the Run is cancelled, or another attempt has it"
    TIMED_OUT = "the Run took too long"
    LOST = "another attempt has the Run, or nothing can be written about it"
    DATABASE_AWAY = "the database did not take a write; whether it has it is not known"
    UNWRITABLE = "the log can never take what the agent said"
    HANDED_BACK = "this worker is shutting down"


class RunningAttempt:
    """One attempt of a Run that this process is working on."""

    def __init__(self, claim: Claim, *, grace_s: float = GRACE_S) -> None:
        self.claim = claim
        self.stop_reason: StopReason | None = None
        self.agent_run: AgentRun | None = None  # None until the agent begins
        self._grace_s = grace_s
        self._loop = asyncio.get_running_loop()
        self._grace_over: asyncio.Future[None] = self._loop.create_future()
        self._task: asyncio.Task[RunOutcome] | None = None

    def stop(self, reason: StopReason) -> None:
        """Cancels the agent: its next await raises asyncio.CancelledError. Only the first reason counts; does nothing when the
        agent has ended.
        """
        if self.stop_reason is not None or (self._task is not None and self._task.done()):
            return
        self.stop_reason = reason
        if self._task is not None:
            self._task.cancel()
        self._loop.call_later(self._grace_s, self._end_grace)

    async def wait(self, task: asyncio.Task[RunOutcome], *, deadline_s: float) -> RunOutcome | None:
        """Waits for the agent's task and returns its outcome; None when the attempt was stopped.

        Stops the attempt after `deadline_s`. An agent that ignores the stop is waited for `grace_s`, then left behind.
        """
        self._task = task
        if self.stop_reason is not None:
            task.cancel()
        deadline = self._loop.call_later(deadline_s, self.stop, StopReason.TIMED_OUT)
        either: set[asyncio.Future[Any]] = {task, self._grace_over}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        deadline.cancel()
        if not task.done():
            logger.warning("The agent %s goes on after it was cancelled; its Run ends without it.", self.claim.agent)
            return None
        return None if task.cancelled() or self.stop_reason is not None else task.result()

    def _end_grace(self) -> None:
        if not self._grace_over.done():
            self._grace_over.set_result(None)
