import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Final

from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import IntegrityError

from agents import provider
from agents.runner import history, limits, outcome
from agents.runner.appender import Appender
from agents.runner.kept import Keeper, read_beginning_state
from agents.runner.marks import context_of
from agents.runner.outside import Services
from agents.runner.preparation import prepared
from agents.runner.running import GRACE_S, RunningAttempt, StopReason
from agents.sdk.delta_buffer import DeltaBuffer
from agents.sdk.failed import AgentFailed
from agents.sdk.failure import class_name
from agents.sdk.journal import Journal
from agents.sdk.message import Message
from agents.sdk.meter import UNKNOWN_PRICE, Meter
from agents.sdk.model import GivenPrompt, ModelLoop
from agents.sdk.outside import Declined
from agents.sdk.prompt import PromptMessage
from agents.sdk.registry import Agent, agents
from agents.sdk.run import AgentRun, AskForSummary
from agents.sdk.state import KeptState
from agents.sdk.tool import Tool
from agents.sdk.waits import Waits
from sessions_core import bridge
from sessions_core.machines.feed import Span
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import Fenced
from sessions_core.protocol.events import Fact, MessageDelta, RunCompleted, RunFailed, RunOutcome, RunWaiting, Usage
from sessions_core.protocol.ids import RunId, SessionId
from sessions_core.protocol.text import repair
from sessions_core.services import failures, runs

CUT_OFF_S: Final = 2.5  # a sweep asks the database each second

logger = logging.getLogger(__name__)


class Runner:
    """Executes Runs on the loop it is used on. `worker` names this process in the Run's row, for operators."""

    def __init__(self, worker: str, *, grace_s: float = GRACE_S, cut_off_s: float = CUT_OFF_S) -> None:
        self.worker = worker
        self.draining = False
        self._grace_s = grace_s
        self._cut_off_s = cut_off_s
        self._running: set[RunningAttempt] = set()
        self._answered_at = math.inf  # by the monotonic clock; until a worker asks, nothing is known
        self._appender = Appender()

    @property
    def running(self) -> Sequence[RunningAttempt]:
        """The attempts that this process is working on."""
        return tuple(self._running)

    @property
    def is_cut_off(self) -> bool:
        """Whether the database has not answered for so long that another worker should take what comes in."""
        return time.monotonic() - self._answered_at > self._cut_off_s

    def note_answer(self) -> None:
        """Notes that the database answers."""
        self._answered_at = time.monotonic()

    async def execute(self, session_id: SessionId, run_id: RunId) -> bool:
        """Executes the Run if this worker can claim it, and returns when it has ended, or waits for something. Delivery is
        at-least-once; the claim deduplicates. Returns False when this worker cannot even try.
        """
        if self.draining or self.is_cut_off:
            return False
        claim = await bridge.run(runs.claim, session_id, run_id, worker=self.worker)
        if claim is None:
            return True
        agent = agents().get(claim.agent)
        attempt = RunningAttempt(claim, limits.of(agent), grace_s=self._grace_s)
        self._running.add(attempt)
        if self.draining:  # since the claim began
            attempt.stop(StopReason.HANDED_BACK)
        try:
            await self._run_to_end(attempt, agent)
        finally:
            self._running.discard(attempt)
        return True

    async def renew_leases(self, attempts: Sequence[RunningAttempt]) -> None:
        """Renews the leases of the attempts in one query. Stops those that are cancelled or that another worker has claimed."""
        claims, spent = [attempt.claim for attempt in attempts], [attempt.meter.spent for attempt in attempts]
        heartbeat = await bridge.run_reserved(runs.heartbeat, claims, spent=spent)
        for attempt in attempts:
            if attempt.claim.run in heartbeat.lost:
                attempt.stop(StopReason.LOST)
            elif attempt.claim.run in heartbeat.cancelled:
                attempt.stop(StopReason.CANCELLED)
        self.steer(heartbeat.steered)

    def steer(self, run_ids: Iterable[RunId]) -> None:
        """Tells the Runs that this process is working on that people have written to them; ignores others."""
        steered = set(run_ids)
        for attempt in self.running:
            if attempt.claim.run in steered:
                attempt.steers.arrived.set()

    def cancel(self, run_ids: Iterable[RunId]) -> None:
        """Stops the Runs that this process is working on, because a person pressed Stop; ignores others."""
        cancelled = set(run_ids)
        self._stop((attempt for attempt in self.running if attempt.claim.run in cancelled), StopReason.CANCELLED)

    def drain(self) -> None:
        """Claims no more Runs and hands back the running ones: another worker takes them at once."""
        self.draining = True
        self._stop(self.running, StopReason.HANDED_BACK)

    def _stop(self, attempts: Iterable[RunningAttempt], reason: StopReason) -> None:
        for attempt in attempts:
            attempt.stop(reason)

    async def _run_to_end(self, attempt: RunningAttempt, agent: Agent | None) -> None:
        write = partial(self._append, attempt)
        buffer = DeltaBuffer(write, every_s=settings.DELTA_MS / 1000, on_error=partial(_write_failed, attempt))
        work = self._run_agent(agent, attempt, buffer)
        task = asyncio.create_task(work, context=context_of(attempt.claim.run, attempt.claim.fence))
        result = await attempt.wait(task)
        await buffer.close(keep=attempt.stop_reason in {None, StopReason.LIMIT_REACHED})
        await outcome.write(attempt, result, is_draining=lambda: self.draining)

    async def _append(self, attempt: RunningAttempt, facts: Sequence[Fact]) -> Span:
        attempt.meter.progress()
        if any(isinstance(fact, MessageDelta) for fact in facts):
            attempt.meter.text()
        return await self._appender.append(attempt.claim, facts)

    async def _run_agent(self, agent: Agent | None, attempt: RunningAttempt, buffer: DeltaBuffer) -> RunOutcome:
        if agent is None:
            return outcome.NO_SUCH_AGENT
        try:
            attempt.agent_run = await self._agent_run(agent, attempt, buffer)
            # On the loop, an import that another thread is at would wait for it, and block every Run.
            await asyncio.shield(asyncio.wrap_future(prepared(agent)))
            await _check_price(attempt.meter)
            await asyncio.sleep(0)  # a stop that has come by now cancels here, before the agent calls any model
            await agent.function(attempt.agent_run)
            await attempt.agent_run.save_state()
        except Declined as declined:
            return outcome.declined(declined)
        except AgentFailed as failed:
            attempt.exception_class = class_name(failed.__cause__ or failed)
            return RunFailed(code=failed.code, message=repair(failed.message), retry=failed.retry)
        except (
            Exception,
            SystemExit,
        ) as error:  # an agent is anybody's code; SystemExit would end every Run of this process
            attempt.exception_class = class_name(error)
            logger.exception("The agent %s failed in the Run %s.", attempt.claim.agent, attempt.claim.run)
            return outcome.AGENT_ERROR
        return RunCompleted()

    async def _agent_run(self, agent: Agent, attempt: RunningAttempt, buffer: DeltaBuffer) -> AgentRun:
        """Makes what the agent is given."""
        with _left_to_a_new_attempt(attempt):
            (question, state), _ = await asyncio.gather(
                bridge.run(_read_beginning, attempt.claim),
                self.renew_leases([attempt]),  # sees a cancel whose hint came before this process was listening for it
            )
        guard = partial(_left_to_a_new_attempt, attempt)
        keeper = Keeper(attempt.claim, self._appender, buffer, guard, on_error=partial(_write_failed, attempt))
        waits = Waits(buffer.flush, partial(_suspend, attempt, buffer))
        waits.begin()
        outside = Services(attempt.claim, attempt.steers, guard)
        return AgentRun(
            attempt.claim,
            question,
            outside,
            buffer,
            attempt.meter,
            journal=Journal(keeper),
            outside=outside,
            waits=waits,
            loop=_ask_model,
            ask_for_summary=_ask_for_summary,
            tools=agent.tools,
            state=state,
        )


def _read_beginning(claim: Claim) -> tuple[str, KeptState]:
    """Returns what every agent is given: the text of the message to answer, and what it keeps in the Session."""
    return history.read_input(claim), read_beginning_state(claim)


def _suspend(attempt: RunningAttempt, buffer: DeltaBuffer, waiting: RunWaiting, until: datetime | None) -> None:
    buffer.seal()
    attempt.suspend(waiting, until)


async def _check_price(meter: Meter) -> None:
    """Raises AgentFailed when the Run has a limit of cost, and nobody can say what the model costs."""
    if meter.limits.cost_usd is None:
        return
    prices = await asyncio.to_thread(provider.load, "prices")
    if not await asyncio.to_thread(prices.is_known):
        raise AgentFailed("limit_reached", UNKNOWN_PRICE)


async def _ask_model(
    run: AgentRun,
    message: Message,
    prompt: GivenPrompt,
    *,
    tools: Sequence[Tool] | None,
    note: str | None,
    instructions: str | None,
) -> str:
    loop = await asyncio.to_thread(provider.load, "loop")
    ask_model: ModelLoop = loop.answer
    return await ask_model(run, message, prompt, tools=tools, note=note, instructions=instructions)


async def _ask_for_summary(messages: Sequence[PromptMessage], use: Callable[[Usage], None]) -> str:
    module = await asyncio.to_thread(provider.load, "summary")
    summarise: AskForSummary = module.summarise
    return await summarise(messages, use)


@contextmanager
def _left_to_a_new_attempt(attempt: RunningAttempt) -> Iterator[None]:
    """Leaves the Run to a new attempt when the database is away: the agent is not at fault."""
    try:
        yield
    except Fenced as error:
        attempt.stop(StopReason.FENCED)
        raise asyncio.CancelledError from error
    except Exception as error:
        if not failures.is_outage(error):
            raise
        logger.warning("The Run %s is left to a new attempt, the database is away: %s", attempt.claim.run, error)
        attempt.stop(StopReason.DATABASE_AWAY)
        raise asyncio.CancelledError from error


def _write_failed(attempt: RunningAttempt, error: Exception) -> None:
    """Stops the attempt. The write is not repeated: when a connection broke, it may have been committed."""
    if isinstance(error, Fenced):
        attempt.stop(StopReason.FENCED)
    elif failures.is_outage(error):
        logger.warning("The Run %s is left to a new attempt, the database is away: %s", attempt.claim.run, error)
        attempt.stop(StopReason.DATABASE_AWAY)
    elif failures.is_unfit(error) or isinstance(error, IntegrityError) or not isinstance(error, DatabaseFault):
        logger.error("The Run %s is ended, its log cannot take what it says: %s", attempt.claim.run, error)
        attempt.stop(StopReason.UNWRITABLE)
    else:
        logger.error("The Run %s is given up, its log cannot be written: %s", attempt.claim.run, error)
        attempt.stop(StopReason.LOST)
