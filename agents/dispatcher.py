"""Wakes workers: a Celery message to the task of the Run's agent. The database owns the Run; a lost message costs seconds."""

import logging
import threading
from collections.abc import Sequence
from queue import Full, Queue
from typing import Final

from celery import Celery
from celery.app import app_or_default
from django.conf import settings
from kombu.exceptions import ChannelError, OperationalError

from agents.sdk.registry import agents
from sessions_core.protocol.ids import RunId, SessionId
from sessions_core.services.dispatch import AgentInfo

MAX_PENDING: Final = 1000  # messages that the broker has not taken yet

logger = logging.getLogger(__name__)


class CeleryDispatcher:
    """The Dispatcher that `settings.RUN_DISPATCHER` names.

    Sends from a thread of its own: a broker that does not answer takes seconds, and the threads that call `wake` are needed for
    the database work of the process.
    """

    def __init__(self, *, max_pending: int = MAX_PENDING) -> None:
        self._pending: Queue[tuple[Celery, SessionId, RunId, str]] = Queue(max_pending)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self, session: SessionId, run: RunId, agent: str) -> None:
        """Queues the message and returns at once. Drops it when the broker is behind or away: the sweeper wakes again."""
        try:
            self._pending.put_nowait((app_or_default(), session, run, agent))
        except Full:
            logger.warning("The broker does not take messages; the Run %s is left to the sweeper.", run)
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._send_all, name="wakes", daemon=True)
                self._thread.start()

    def queue(self, agent: str) -> str:
        """Returns the queue that Celery routes the agent's task to."""
        return str(app_or_default().amqp.router.route({}, _task(agent))["queue"].name)

    def queued(self, queue: str) -> int | None:
        """Returns how many messages the queue holds, or None while the broker does not answer."""
        try:
            with app_or_default().connection_or_acquire() as connection:
                declared = connection.default_channel.queue_declare(queue, passive=True)
                return int(declared.message_count)
        except ChannelError:
            return 0  # a queue that nobody has written into yet
        except (OperationalError, OSError) as error:
            logger.warning("The broker could not be asked how long its queues are: %s", error)
            return None

    def agents(self) -> Sequence[AgentInfo]:
        """Returns the agents that are offered: the default first, then by title."""
        default = self.default()
        offered = [agent for agent in agents().values() if agent.offered]
        offered.sort(key=lambda agent: (agent.name != default, agent.title))
        return [AgentInfo(name=agent.name, title=agent.title, description=agent.description) for agent in offered]

    def version(self, agent: str) -> int | None:
        """Returns the version of the agent's code here, also of one that is not offered; None when it is not here."""
        found = agents().get(agent)
        return found.version if found else None

    def default(self) -> str:
        """Returns the Assistant's name when a model is set, else the Guide's, which needs none."""
        return "assistant" if settings.CHAT_MODEL else "guide"

    def _send_all(self) -> None:
        while True:
            _send(*self._pending.get())


def _task(agent: str) -> str:
    return f"agents.{agent}"


def _send(app: Celery, session: SessionId, run: RunId, agent: str) -> None:
    try:
        app.send_task(_task(agent), args=[str(session), str(run)], retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        logger.warning("The broker could not be told of the Run %s: %s", run, error)
    except Exception:  # one message must not end the thread that sends the others
        logger.exception("The broker could not be told of the Run %s.", run)
