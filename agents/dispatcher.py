"""How a Run reaches a worker: a Celery message to the task of its agent. The database owns the Run, the message only wakes."""

import logging
import threading
from collections.abc import Sequence
from queue import Full, Queue
from typing import Final

from celery import Celery
from celery.app import app_or_default
from django.conf import settings
from kombu.exceptions import OperationalError

from agents.sdk.registry import agents
from sessions_core.protocol.ids import RunId
from sessions_core.services.dispatch import AgentInfo

PENDING: Final = 1000  # wakes that a broker has not taken yet; the sweeper wakes again what is beyond

logger = logging.getLogger(__name__)


class CeleryDispatcher:
    """The Dispatcher that `settings.RUN_DISPATCHER` names. Its messages leave on a thread of their own: a broker that does
    not answer takes seconds, and whoever wakes holds a thread that all of the process's database work needs.
    """

    def __init__(self, *, pending: int = PENDING) -> None:
        self._waiting: Queue[tuple[Celery, RunId, str]] = Queue(pending)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self, run: RunId, agent: str) -> None:
        """Leaves word, and returns at once. While the broker is away nothing is sent: the sweeper finds the Run later."""
        try:
            self._waiting.put_nowait((app_or_default(), run, agent))
        except Full:
            logger.warning("The broker does not take messages; the Run %s is left to the sweeper.", run)
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._send_all, name="wakes", daemon=True)
                self._thread.start()

    def agents(self) -> Sequence[AgentInfo]:
        """What is on offer; the one that answers by itself comes first."""
        default = self.default()
        offered = [agent for agent in agents().values() if agent.offered]
        offered.sort(key=lambda agent: (agent.name != default, agent.title))
        return [AgentInfo(name=agent.name, title=agent.title, description=agent.description) for agent in offered]

    def default(self) -> str:
        """The Assistant when a model is set, else the Guide, which needs none."""
        return "assistant" if settings.CHAT_MODEL else "guide"

    def _send_all(self) -> None:
        while True:
            _send(*self._waiting.get())


def _send(app: Celery, run: RunId, agent: str) -> None:
    try:
        app.send_task(f"agents.{agent}", args=[str(run)], retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        logger.warning("The broker could not be told of the Run %s: %s", run, error)
    except Exception:  # one message must not end the thread that sends the others
        logger.exception("The broker could not be told of the Run %s.", run)
