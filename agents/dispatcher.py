"""How a Run reaches a worker: a Celery message to the task of its agent. The database owns the Run, the message only wakes."""

import logging
from collections.abc import Sequence

from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError

from agents.sdk.registry import agents
from sessions_core.dispatch import AgentInfo
from sessions_core.ids import RunId

_log = logging.getLogger(__name__)


class CeleryDispatcher:
    """The Dispatcher that `settings.RUN_DISPATCHER` names."""

    def wake(self, run: RunId, agent: str) -> None:
        """Sends the message. While the broker is away nothing is sent: the sweeper finds the Run later."""
        try:
            current_app.send_task(f"agents.{agent}", args=[str(run)], retry=False, ignore_result=True)
        except (OperationalError, OSError) as error:
            _log.warning("The broker could not be told of the Run %s: %s", run, error)
        except Exception:  # noqa: BLE001  # the message is posted already: its sender must not see this
            _log.exception("The broker could not be told of the Run %s.", run)

    def agents(self) -> Sequence[AgentInfo]:
        """What is on offer; the one that answers by itself comes first."""
        default = self.default()
        offered = [agent for agent in agents().values() if agent.offered]
        offered.sort(key=lambda agent: (agent.name != default, agent.title))
        return [AgentInfo(name=agent.name, title=agent.title, description=agent.description) for agent in offered]

    def default(self) -> str:
        """The Assistant when a model is set, else the Guide, which needs none."""
        return "assistant" if settings.CHAT_MODEL else "guide"
