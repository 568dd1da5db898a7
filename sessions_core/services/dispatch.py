"""How a Run is handed to a worker: a Protocol that `settings.RUN_DISPATCHER` names, so that the core knows no Celery."""

from collections.abc import Sequence
from functools import cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string
from msgspec import Struct

from sessions_core.protocol.errors import NoSuchAgent
from sessions_core.protocol.ids import RunId


class AgentInfo(Struct, frozen=True):
    """An agent as people choose it."""

    name: str
    title: str
    description: str


class Dispatcher(Protocol):
    def wake(self, run: RunId, agent: str) -> None:
        """Tells a worker of the Run. May be lost or come twice: the sweeper tells again. Never raises."""

    def agents(self) -> Sequence[AgentInfo]:
        """The agents on offer, in the order to show them."""

    def default(self) -> str:
        """The name of the agent that answers when none was chosen."""


@cache
def dispatcher() -> Dispatcher:
    """The deployment's dispatcher."""
    made: Dispatcher = import_string(settings.RUN_DISPATCHER)()
    return made


def known(agent: str | None) -> str:
    """The agent's name, the default's for none. Raises NoSuchAgent."""
    if not agent:
        return dispatcher().default()
    if agent not in {info.name for info in dispatcher().agents()}:
        raise NoSuchAgent(f"There is no agent called “{agent[:64]}” here.")
    return agent


def still_known(agent: str) -> str:
    """The agent's name, or the default's where it is not on offer any more: an old Session goes on."""
    return agent if agent in {info.name for info in dispatcher().agents()} else dispatcher().default()


def title(agent: str) -> str:
    """What people call the agent; its name where it is not on offer any more."""
    return next((info.title for info in dispatcher().agents() if info.name == agent), agent)
