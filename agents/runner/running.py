import asyncio
import logging
import math
from datetime import datetime
from enum import Enum
from typing import Any, Final

from agents.runner.limits import sentence
from agents.runner.steers import Steers
from agents.sdk.limits import Limits
from agents.sdk.meter import Meter
from agents.sdk.run import AgentRun
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import RunOutcome, RunWaiting

GRACE_S: Final = 5.0  # for an agent to clean up after it was cancelled; then its Run ends without it

LOOK_EVERY_S: Final = 3600.0  # at limits of time; asyncio has no timer for ever

logger = logging.getLogger(__name__)


class StopReason(Enum):
    """Why an attempt is ended from outside its agent."""

    CANCELLED = "a person pressed Stop"
    FENCED = "the log refused a write: the Run is cancelled, or another attempt has it"
    LIMIT_REACHED = "the Run has spent what it may"
    LOST = "another attempt has the Run, or nothing can be written about it"
    DATABASE_AWAY = "the database did not take a write; whether it has it is not known"
    UNWRITABLE = "the log can never take what the agent said"
    HANDED_BACK = "this worker is shutting down"
    WAITING = "all that the agent awaits is waiting"


class RunningAttempt:
    """One attempt of a Run that this process is working on."""

    def __init__(self, claim: Claim, limits: Limits, *, grace_s: float = GRACE_S) -> None:
        self.claim = claim
        self.meter = Meter(limits, spent=claim.spent, on_limit=self._stop_at_limit)
        self.stop_reason: StopReason | None = None
        self.limit = ""  # which one was reached, as a sentence
        self.exception_class = ""  # of what the agent raised
        self.agent_run: AgentRun | None = None  # None until the agent begins
        self.waiting: tuple[RunWaiting, datetime | None] | None = None  # what for, and until when at most
        self.steers = Steers(claim)
        self._grace_s = grace_s
        self._loop = asyncio.get_running_loop()
        self._grace_over: asyncio.Future[None] = self._loop.create_future()
        self._task: asyncio.Task[RunOutcome] | None = None
        self._timer: asyncio.TimerHandle | None = None  # of the next look at the limits of time

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

    def suspend(self, waiting: RunWaiting, until: datetime | None) -> None:
        """Ends the attempt for as long as the Run waits."""
        self.waiting = (waiting, until)
        self.stop(StopReason.WAITING)

    async def wait(self, task: asyncio.Task[RunOutcome]) -> RunOutcome | None:
        """Waits for the agent's task and returns its outcome; None when the attempt was stopped.

        Stops the attempt at its limits of time. An agent that ignores the stop is waited for `grace_s`, then left behind.
        """
        self._task = task
        if self.stop_reason is not None:
            task.cancel()
        self._watch_time()
        either: set[asyncio.Future[Any]] = {task, self._grace_over}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if self._timer is not None:
            self._timer.cancel()
        if not task.done():
            logger.warning("The agent %s goes on after it was cancelled; its Run ends without it.", self.claim.agent)
            return None
        return None if task.cancelled() or self.stop_reason is not None else task.result()

    def check_time(self) -> float:
        """Stops the attempt when it has worked for too long, or has shown no progress for too long. Returns after how many
        seconds that may be so.
        """
        limits = self.meter.limits
        seconds, quiet_s = limits.seconds or math.inf, limits.quiet_s or math.inf
        left_s = seconds - self.claim.worked_s - self.meter.worked_s
        if left_s <= 0:
            self._stop_at_limit(sentence("took longer than", seconds))
        elif self.meter.quiet_s >= quiet_s:
            self._stop_at_limit(sentence("made no progress for", quiet_s))
        return max(0, min(left_s, quiet_s - self.meter.quiet_s))

    def _watch_time(self) -> None:
        again_s = self.check_time()
        if self.stop_reason is None:
            self._timer = self._loop.call_later(min(again_s, LOOK_EVERY_S), self._watch_time)

    def _stop_at_limit(self, sentence: str) -> None:
        self.limit = self.limit or sentence
        self.stop(StopReason.LIMIT_REACHED)

    def _end_grace(self) -> None:
        if not self._grace_over.done():
            self._grace_over.set_result(None)
