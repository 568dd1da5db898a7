"""The one loop of a worker process, on a thread of its own, and what Celery's threads ask of it."""

import asyncio
import logging
import os
import socket
import threading
from functools import cache
from uuid import UUID, uuid4

from agents.runner.runner import Runner
from agents.runner.upkeep import look_after
from agents.sdk.registry import agents
from sessions_core.process import garbage
from sessions_core.protocol.ids import RunId

logger = logging.getLogger(__name__)
_starting = threading.RLock()  # a signal handler may ask while its own thread is starting it


class Process:
    """A Runner on its loop. The thread is a daemon: when Celery has ended, nothing waits for it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._runner = Runner(f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:6]}")
        threading.Thread(target=self._loop.run_forever, name="agents", daemon=True).start()
        threading.Thread(target=_load, name="load", daemon=True).start()
        self._upkeep = asyncio.run_coroutine_threadsafe(look_after(self._runner), self._loop)
        self._upkeep.add_done_callback(lambda _: logger.info("This worker looks after no Runs any more."))

    def perform(self, run_id: str) -> None:
        """Returns when the Run has ended, or is not to be had."""
        asyncio.run_coroutine_threadsafe(self._runner.execute(RunId(UUID(run_id))), self._loop).result()

    def drain(self) -> None:
        """Hands the Runs back. Safe in a signal handler: it only leaves word on the loop."""
        self._loop.call_soon_threadsafe(self._runner.drain)


def _load() -> None:
    """Has the agents load what takes long, side by side, and settles."""
    preparing = [
        threading.Thread(target=agent.prepare, name=agent.name, daemon=True)
        for agent in agents().values()
        if agent.prepare is not None
    ]
    for one in preparing:
        one.start()
    for one in preparing:
        one.join()
    garbage.tune()


def process() -> Process:
    """This process's one, started when it is first asked for."""
    with _starting:
        return _process()


@cache
def _process() -> Process:
    return Process()
