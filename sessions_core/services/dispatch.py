"""Hands a Run to a worker through a Protocol. `settings.RUN_DISPATCHER` names the class, so that the core knows no Celery."""

from collections.abc import Sequence
from functools import cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string
from msgspec import Struct

from sessions_core.protocol.errors import NoSuchAgent
from sessions_core.protocol.ids import RunId, SessionId


class AgentInfo(Struct, frozen=True):
    """An agent as people are offered it."""

    name: str
    title: str
    description: str


class Dispatcher(Protocol):
    """Wakes workers, and knows the agents of the deployment."""

    def wake(self, session: SessionId, run: RunId, agent: str) -> None:
        """Wakes a worker for the Run. May be lost or doubled: the sweep repeats it, the claim deduplicates. Never raises."""

    def queue(self, agent: str) -> str:
        """Returns the name of the queue that a wake for this agent goes into."""

    def queued(self, queue: str) -> int | None:
        """Returns how many wakes the queue holds, or None while the broker does not answer."""

    def agents(self) -> Sequence[AgentInfo]:
        """Returns the agents on offer, in the order to show them."""

    def version(self, agent: str) -> int | None:
        """Returns the version of the agent's code here, also of one that is not on offer; None when it is not here."""

    def default(self) -> str:
        """Returns the name of the agent that answers when none was chosen."""


@cache
def dispatcher() -> Dispatcher:
    """Returns the dispatcher of this deployment."""
    created: Dispatcher = import_string(settings.RUN_DISPATCHER)()
    return created


def get_agent(agent: str | None) -> str:
    """Returns the agent's name, or the default agent's for an empty one. Raises NoSuchAgent."""
    if not agent:
        return dispatcher().default()
    if agent not in {info.name for info in dispatcher().agents()}:
        raise NoSuchAgent(f"There is no agent called “{agent[:64]}” here.")
    return agent


def agent_or_default(agent: str) -> str:
    """Returns the agent's name, or the default agent's when it is no longer on offer: an old Session goes on working."""
    return agent if agent in {info.name for info in dispatcher().agents()} else dispatcher().default()


def title(agent: str) -> str:
    """Returns the agent's title, or its name when it is no longer on offer."""
    return next((info.title for info in dispatcher().agents() if info.name == agent), agent)
