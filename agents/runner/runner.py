"""Runs the agents: claims a Run, lets its agent work, writes the outcome. One Runner in each worker process, on one loop.

The database decides who may write; what is here only makes an agent stop soon when it has lost that right.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

from django.conf import settings
from django.db import InterfaceError, OperationalError
from msgspec import UNSET

from agents.runner import history
from agents.runner.appender import Appender
from agents.runner.running import GRACE_S, End, Live
from agents.sdk.delta_buffer import DeltaBuffer
from agents.sdk.failed import AgentFailed
from agents.sdk.registry import Agent, agents
from agents.sdk.run import AgentRun
from sessions_core import bridge
from sessions_core.protocol.errors import Fenced
from sessions_core.protocol.events import RunCancelled, RunCompleted, RunFailed, RunOutcome, Usage
from sessions_core.protocol.ids import MessageId, RunId
from sessions_core.services import runs

AGAIN_S: Final = (0.1, 0.4, 1.0, 2.0)  # waits before an outcome is tried again: PostgreSQL restarts within a lease

GONE: Final = RunFailed(code="no_such_agent", message="The agent that was asked is not installed here.", retry=False)
FAULT: Final = RunFailed(
    code="agent_error", message="The agent ran into a fault of its own. Trying again may help.", retry=True
)

logger = logging.getLogger(__name__)


class Runner:
    """`execute` does one Run; `renew`, `cancel` and `drain` reach all that are at work."""

    def __init__(self, worker: str, *, grace_s: float = GRACE_S) -> None:
        self.worker = worker
        self._grace_s = grace_s
        self.draining = False
        self._live: set[Live] = set()
        self._appender = Appender()

    @property
    def live(self) -> Sequence[Live]:
        """The Runs at work here."""
        return tuple(self._live)

    async def execute(self, run_id: RunId) -> None:
        """Does the Run from claim to outcome. Nothing where it is not to be had now: the sweeper will tell of it again."""
        if self.draining:
            return
        claim = await bridge.run(runs.claim, run_id, worker=self.worker)
        if claim is None:
            return
        live = Live(claim, grace_s=self._grace_s)
        self._live.add(live)
        if self.draining:  # word came while the claim was under way
            live.stop(End.RELEASED)
        try:
            await self._work(live)
        finally:
            self._live.discard(live)

    async def renew(self, lives: Sequence[Live]) -> None:
        """Renews the leases, in one query, and stops what is not to go on."""
        beat = await bridge.run(runs.heartbeat, [live.claim for live in lives])
        for live in lives:
            if live.claim.run in beat.lost:
                live.stop(End.LOST)
            elif live.claim.run in beat.cancelled:
                live.stop(End.CANCELLED)

    def cancel(self, run_ids: Iterable[RunId]) -> None:
        """Stops those of the Runs that are at work here."""
        wanted = set(run_ids)
        self._stop((live for live in self.live if live.claim.run in wanted), End.CANCELLED)

    def abandon(self) -> None:
        """Stops all without a word, because the database does not answer and the leases have lapsed."""
        self._stop(self.live, End.LOST)

    def drain(self) -> None:
        """Takes no more Runs, and hands back those at work: another worker goes on at once."""
        self.draining = True
        self._stop(self.live, End.RELEASED)

    def _stop(self, lives: Iterable[Live], why: End) -> None:
        for live in lives:
            live.stop(why)

    async def _work(self, live: Live) -> None:
        write = partial(self._appender.append, live.claim)
        writer = DeltaBuffer(write, every_s=settings.DELTA_MS / 1000, broken=partial(_broken, live))
        task = asyncio.create_task(self._perform(agents().get(live.claim.agent), live, writer))
        outcome = await live.outcome(task, deadline_s=settings.RUN_SECONDS)
        await writer.close(keep=live.why in {None, End.LATE})
        await _conclude(live, outcome)

    async def _perform(self, agent: Agent | None, live: Live, writer: DeltaBuffer) -> RunOutcome:
        """What the agent came to by itself."""
        if agent is None:
            return GONE
        try:
            live.run = await self._prepared(live, writer)
            await asyncio.sleep(0)
            await agent.function(live.run)
        except AgentFailed as failed:
            return RunFailed(code=failed.code, message=failed.message, retry=failed.retry)
        except (Exception, SystemExit):  # anybody's code; SystemExit would end every Run of this process
            logger.exception("The agent %s failed in the Run %s.", live.claim.agent, live.claim.run)
            return FAULT
        return RunCompleted(usage=live.run.usage or UNSET)

    async def _prepared(self, live: Live, writer: DeltaBuffer) -> AgentRun:
        """What the agent is given. Where the database is away that is no fault of the agent's: a new attempt does better."""
        try:
            told = await bridge.run(history.read, live.claim)
            await self.renew([live])  # a cancel from before anybody listened for it: no model is called
        except (InterfaceError, OperationalError) as error:
            logger.warning("The Run %s is left to a new attempt, the database is away: %s", live.claim.run, error)
            live.stop(End.LOST)
            raise asyncio.CancelledError from error
        return AgentRun(live.claim, told, writer)


def _broken(live: Live, error: Exception) -> None:
    """A write failed. What a lost connection did to it is not known, so it is not repeated: a new attempt begins anew."""
    if isinstance(error, Fenced):
        live.stop(End.FENCED)
        return
    logger.error("The Run %s is given up, its log cannot be written: %s", live.claim.run, error)
    live.stop(End.LOST)


async def _conclude(live: Live, outcome: RunOutcome | None) -> None:
    match live.why:
        case End.LOST:
            return
        case End.RELEASED:
            await _persist(live, partial(runs.release, live.claim))
        case End.CANCELLED | End.FENCED:  # fenced by another attempt: then this is refused as well
            await _finish(live, RunCancelled())
        case End.LATE:
            await _finish(live, _late())
        case None:
            await _finish(live, outcome or FAULT)


async def _finish(live: Live, outcome: RunOutcome) -> None:
    used: dict[MessageId, Usage] = {}
    if live.run is not None:
        used = {message.id: message.usage for message in live.run.messages if message.usage is not None}
    await _persist(live, partial(runs.finish, live.claim, outcome, used=used))


async def _persist(live: Live, act: Callable[[], None]) -> None:
    """Does the act, again after a while where the database is away. Too late is no harm: the lease brings a new attempt."""
    for pause in (*AGAIN_S, None):
        try:
            await bridge.run(act)
        except Fenced:
            return
        except (InterfaceError, OperationalError) as error:
            if pause is None:
                logger.error("The Run %s could not be ended: %s", live.claim.run, error)  # noqa: TRY400  # the database is away
                return
            await asyncio.sleep(pause)
        else:
            return


def _late() -> RunFailed:
    minutes = round(settings.RUN_SECONDS / 60) or 1
    return RunFailed(code="too_slow", message=f"The answer took longer than {minutes} min and was ended.", retry=True)
