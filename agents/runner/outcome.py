import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from agents.runner.running import RunningAttempt, StopReason
from agents.sdk.outside import Declined
from sessions_core import bridge
from sessions_core.protocol.errors import Fenced
from sessions_core.protocol.events import RunCancelled, RunFailed, RunOutcome, Usage
from sessions_core.protocol.ids import MessageId
from sessions_core.services import failures, runs

RETRY_AFTER_S: Final = (0.1, 0.4, 1.0, *[2.0] * 900)  # while the database is away: half an hour

NO_SUCH_AGENT: Final = RunFailed(
    code="no_such_agent", message="The agent that was asked is not installed here.", retry=False
)
AGENT_ERROR: Final = RunFailed(
    code="agent_error", message="The agent ran into a fault of its own. Trying again may help.", retry=True
)
UNWRITABLE: Final = RunFailed(
    code="agent_error",
    message="The agent said something that cannot be kept, so its answer was ended. Trying again may help.",
    retry=True,
)

logger = logging.getLogger(__name__)


def declined(reason: Declined) -> RunFailed:
    """Returns the outcome of an agent that does not handle a question without an answer."""
    if reason.reason == "expired":
        return RunFailed(code="declined", message="Nobody answered the question in time.", retry=True)
    return RunFailed(code="declined", message="The question was declined, so the answer ended there.", retry=True)


async def write(attempt: RunningAttempt, outcome: RunOutcome | None, *, is_draining: Callable[[], bool]) -> None:
    """Ends the Run in the log, as `stop_reason` wants it, else with the agent's own outcome (None: it cancelled itself).

    Hands the Run back when this worker is shutting down or the database was away, and writes nothing when the Run is another's.
    While the database is away, it tries again until this worker is draining.
    """
    match attempt.stop_reason:
        case StopReason.LOST:
            return
        case StopReason.HANDED_BACK | StopReason.DATABASE_AWAY:
            await _commit(attempt, partial(runs.release, attempt.claim, spent=attempt.meter.spent), is_draining)
        case StopReason.WAITING:
            await _park(attempt, is_draining)
        case StopReason.CANCELLED | StopReason.FENCED:  # when another attempt has the Run, this is refused as well
            await _finish(attempt, RunCancelled(), is_draining)
        case StopReason.LIMIT_REACHED:
            reached = RunFailed(code="limit_reached", message=attempt.limit, retry=True)
            await _finish(attempt, reached, is_draining)
        case StopReason.UNWRITABLE:
            await _finish(attempt, UNWRITABLE, is_draining)
        case None:
            await _finish(attempt, outcome or AGENT_ERROR, is_draining)


async def _park(attempt: RunningAttempt, is_draining: Callable[[], bool]) -> None:
    assert attempt.waiting is not None
    fact, until = attempt.waiting
    park = partial(runs.park, attempt.claim, fact, resume_at=until, spent=attempt.meter.spent)
    await _commit(attempt, park, is_draining)


async def _finish(attempt: RunningAttempt, outcome: RunOutcome, is_draining: Callable[[], bool]) -> None:
    used: dict[MessageId, Usage] = {}
    if attempt.agent_run is not None:
        used = {message.id: message.usage for message in attempt.agent_run.messages if message.usage is not None}
    spent, raised = attempt.meter.spent, attempt.exception_class
    finish = partial(runs.finish, attempt.claim, outcome, used=used, spent=spent, exception_class=raised)
    await _commit(attempt, finish, is_draining)


async def _commit(attempt: RunningAttempt, act: Callable[[], None], is_draining: Callable[[], bool]) -> None:
    """Performs the act, and tries again while the database is away. What was committed unseen is refused the second time, so it
    is in the log once. Gives up when this worker is draining, or at last: then the lease lapses, and a new attempt begins.
    """
    for pause_s in (*RETRY_AFTER_S, None):
        try:
            await bridge.run(act)
        except Fenced:
            return
        except Exception as error:
            if not failures.is_outage(error):
                raise
            if pause_s is None or (is_draining() and pause_s == RETRY_AFTER_S[-1]):
                logger.error("The Run %s could not be ended: %s", attempt.claim.run, error)  # noqa: TRY400  # the database is away
                return
            await asyncio.sleep(pause_s)
        else:
            return
