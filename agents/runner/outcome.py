import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from django.conf import settings
from django.db import InterfaceError, OperationalError

from agents.runner.running import RunningAttempt, StopReason
from sessions_core import bridge
from sessions_core.protocol.errors import Fenced
from sessions_core.protocol.events import RunCancelled, RunFailed, RunOutcome, Usage
from sessions_core.protocol.ids import MessageId
from sessions_core.services import runs

RETRY_AFTER_S: Final = (0.1, 0.4, 1.0, 2.0)  # while the database is away: PostgreSQL restarts within a lease

NO_SUCH_AGENT: Final = RunFailed(
    code="no_such_agent", message="The agent that was asked is not installed here.", retry=False
)
AGENT_ERROR: Final = RunFailed(
    code="agent_error", message="The agent ran into a fault of its own. Trying again may help.", retry=True
)

logger = logging.getLogger(__name__)


async def write(attempt: RunningAttempt, outcome: RunOutcome | None) -> None:
    """Ends the Run in the log, as `stop_reason` wants it, else with the agent's own outcome (None: it cancelled itself).

    Hands the Run back when this worker is shutting down, and writes nothing when the Run is another's.
    """
    match attempt.stop_reason:
        case StopReason.LOST:
            return
        case StopReason.HANDED_BACK:
            await _commit(attempt, partial(runs.release, attempt.claim))
        case StopReason.CANCELLED | StopReason.FENCED:  # when another attempt has the Run, this is refused as well
            await _finish(attempt, RunCancelled())
        case StopReason.TIMED_OUT:
            await _finish(attempt, _timed_out())
        case None:
            await _finish(attempt, outcome or AGENT_ERROR)


async def _finish(attempt: RunningAttempt, outcome: RunOutcome) -> None:
    used: dict[MessageId, Usage] = {}
    if attempt.agent_run is not None:
        used = {message.id: message.usage for message in attempt.agent_run.messages if message.usage is not None}
    await _commit(attempt, partial(runs.finish, attempt.claim, outcome, used=used))


async def _commit(attempt: RunningAttempt, act: Callable[[], None]) -> None:
    """Performs the act, and tries again while the database is away. If all fails the lease lapses, and a new attempt begins."""
    for pause_s in (*RETRY_AFTER_S, None):
        try:
            await bridge.run(act)
        except Fenced:
            return
        except (InterfaceError, OperationalError) as error:
            if pause_s is None:
                logger.error("The Run %s could not be ended: %s", attempt.claim.run, error)  # noqa: TRY400  # the database is away
                return
            await asyncio.sleep(pause_s)
        else:
            return


def _timed_out() -> RunFailed:
    minutes = round(settings.RUN_SECONDS / 60) or 1
    return RunFailed(code="too_slow", message=f"The answer took longer than {minutes} min and was ended.", retry=True)
