"""The Celery tasks `agents.<name>`, one for each agent, so that an agent can be routed to a queue of its own."""

import logging
import sys
from contextlib import suppress
from typing import Any, Final

from celery import Task, shared_task
from celery.concurrency import get_implementation
from celery.concurrency.thread import TaskPool
from celery.signals import worker_init, worker_ready, worker_shutting_down
from kombu.exceptions import OperationalError

from agents.runner.worker import this_worker
from agents.sdk.registry import agents, problems

PUT_BACK_S: Final = 0.1  # until a message is put back; twice as long each time that nobody could take it
PUT_BACK_MOST_S: Final = 5.0

logger = logging.getLogger(__name__)


def execute(task: Task[Any, Any], session_id: str, run_id: str) -> None:
    """Executes the Run if this worker can claim it. Delivery is at-least-once; the claim deduplicates.

    Puts the message back when this worker cannot even try: it is shutting down, or its database is away while that of others may
    not be. It would swallow half of what wakes the others, and their Runs would wait for the next sweep, and the next.
    """
    if not this_worker().execute(session_id, run_id):
        times = task.request.retries
        this_worker().draining.wait(min(PUT_BACK_S * 2 ** min(times, 10), PUT_BACK_MOST_S))
        with suppress(OperationalError, OSError):  # the sweep finds the Run
            task.apply_async((session_id, run_id), retries=times + 1, retry=False)  # type: ignore[call-arg]


for _name in agents():
    shared_task(name=f"agents.{_name}", bind=True, ignore_result=True)(execute)


@worker_init.connect
def check_pool(sender: Any, **_: object) -> None:  # noqa: ANN401  # Celery has no types
    """Ends a worker that was started with a pool that cannot serve: with `solo` one Run would hold up all others, processes would
    have no loop, and gevent's patches stop asyncio.
    """
    if not issubclass(pool := get_implementation(sender.pool_cls), TaskPool):
        name = pool.__module__.rpartition(".")[2]
        sys.exit(f"A worker executes its Runs on threads, not in the pool “{name}”: start it with `--pool threads`.")


@worker_ready.connect
def start(**_: object) -> None:
    """Starts heartbeats and sweeps before the first Run comes, and says which agents this worker cannot have."""
    for problem in problems():
        logger.error("%s", problem.sentence, exc_info=problem.error)
    this_worker()


@worker_shutting_down.connect
def hand_back(**_: object) -> None:
    """Hands back the Runs on SIGTERM. Celery waits for its tasks, so they end at once and other workers take the Runs."""
    this_worker().drain()
