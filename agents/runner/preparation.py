"""Calls the `prepare` of agents, each once in a process and on a thread of its own. Runs wait for it, the loop does not."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache

from agents.sdk.registry import Agent

logger = logging.getLogger(__name__)


@cache
def prepared(agent: Agent) -> "Future[None]":
    """Returns a future that is done when `prepare` has ended. The first call begins it; a worker does that when it starts."""
    done: Future[None] = Future()
    if agent.prepare is None:
        done.set_result(None)
    else:
        arguments = (agent.name, agent.prepare, done)
        threading.Thread(target=_prepare, args=arguments, name=f"prepare-{agent.name}", daemon=True).start()
    return done


def _prepare(agent: str, prepare: Callable[[], object], done: "Future[None]") -> None:
    try:
        prepare()
    except Exception:  # what is missing then, the agent says in its first Run
        logger.exception("The agent %s could not be prepared.", agent)
    finally:
        done.set_result(None)
