"""The asyncio loop of a worker process, on a thread of its own, and the calls that Celery's threads make into it."""

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from typing import Final
from uuid import UUID, uuid4

from django.conf import settings

from agents.runner.maintenance import maintain
from agents.runner.marks import Marks
from agents.runner.preparation import prepared
from agents.runner.runner import Runner
from agents.runner.watchdog import Watchdog, tick
from agents.sdk.registry import agents
from sessions_core.process import garbage
from sessions_core.protocol.ids import RunId, SessionId

LEAVE_S: Final = 25.0  # to hand back the Runs of a worker that is stopped; its whole end may take 30 s
SPARE_THREADS: Final = 4  # for look-ups of addresses, when each Run has blocked a thread

logger = logging.getLogger(__name__)
_starting = threading.RLock()  # reentrant: a signal handler may call `this_worker` on the thread that is starting it


class Worker:
    """A Runner and its loop. The thread is a daemon, so that nothing waits for it when Celery has ended."""

    def __init__(self) -> None:
        self.draining = threading.Event()
        self._loop = new_loop()
        self._runner = Runner(f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:6]}")
        marks = Marks.create()
        self._loop.set_task_factory(marks.task_factory)
        self._watchdog = Watchdog(marks, self._runner.worker, lease_s=settings.LEASE_S)
        threading.Thread(target=self._loop.run_forever, name="agents", daemon=True).start()
        preparing = [prepared(agent) for agent in agents().values()]
        threading.Thread(target=_wait_until_prepared, args=(preparing,), name="prepared", daemon=True).start()
        self._maintenance = asyncio.run_coroutine_threadsafe(maintain(self._runner), self._loop)
        ticking = tick(marks, self._watchdog.dump, self._watchdog.restart_if_dead, lease_s=settings.LEASE_S)
        self._ticking = asyncio.run_coroutine_threadsafe(ticking, self._loop)
        self._maintenance.add_done_callback(lambda _: logger.info("This worker looks after no Runs any more."))

    def execute(self, session_id: str, run_id: str) -> bool:
        """Executes the Run if it can be claimed. Blocks until it has ended, or waits for something. Returns False when this
        worker could not even try, and another one should.
        """
        execution = self._runner.execute(SessionId(UUID(session_id)), RunId(UUID(run_id)))
        return asyncio.run_coroutine_threadsafe(execution, self._loop).result()

    def drain(self) -> None:
        """Hands back the Runs, and ends this process after LEAVE_S, come what may. Safe in a signal handler: it only schedules
        the calls on the loop.
        """
        self.draining.set()
        self._loop.call_soon_threadsafe(self._runner.drain)
        self._loop.call_soon_threadsafe(self._loop.call_later, LEAVE_S, _leave)


def _leave() -> None:
    """Ends the process without waiting for threads: one may hang in a connection to a database that has vanished. Others take
    over what could not be handed back, once its lease has lapsed.
    """
    logger.error("This worker leaves without having handed back all its Runs: the database has not answered.")
    logging.shutdown()
    os._exit(1)


def new_loop() -> asyncio.AbstractEventLoop:
    """Returns the loop for a worker's Runs, with a thread for each Run that calls `asyncio.to_thread`.

    asyncio's default is four threads and one for each core: a few agents that block theirs would hold up all others, and the
    look-up of a model's address. Database work of the runner has threads of its own (`sessions_core.bridge`).
    """
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(settings.WORKER_RUNS + SPARE_THREADS, thread_name_prefix="to-thread"))
    return loop


def this_worker() -> Worker:
    """Returns the Worker of this process, which starts at the first call."""
    with _starting:
        return _worker()


@cache
def _worker() -> Worker:
    return Worker()


def _wait_until_prepared(preparing: Sequence["Future[None]"]) -> None:
    """Tells the garbage collector when all is loaded."""
    wait(preparing)
    garbage.tune()
