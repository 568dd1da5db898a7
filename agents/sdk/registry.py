"""Finds the agents: a file or folder in `agents/catalogue/` that holds an `@agent` is one. There is no list to keep."""

import logging
from collections.abc import Awaitable, Callable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from agents.sdk.run import AgentRun

logger = logging.getLogger(__name__)

ROOM: Final = "agents.catalogue"  # the package whose files are looked through

AgentFunction = Callable[["AgentRun"], Awaitable[None]]


class Agent(Struct, frozen=True):
    """One agent: its function, and how people know it. Not `offered`: it finishes what was asked of it, and is not listed.
    `prepare` is called in each worker, on a thread, before Runs come: for what takes long to load.
    """

    name: str
    title: str
    description: str
    function: AgentFunction
    offered: bool
    prepare: Callable[[], object] | None


class AgentTaken(Exception):  # noqa: N818  # read as the sentence it is
    """Two agents have one name."""


_found: Final[dict[str, Agent]] = {}


def agent(
    name: str,
    *,
    title: str,
    description: str,
    offered: bool = True,
    prepare: Callable[[], object] | None = None,
) -> Callable[[AgentFunction], AgentFunction]:
    """Makes the function an agent, run as the Celery task `agents.<name>`. Raises AgentTaken."""

    def register(function: AgentFunction) -> AgentFunction:
        before = _found.get(name)
        if before is not None and before.function.__module__ != function.__module__:
            raise AgentTaken(
                f"“{name}” is an agent of {before.function.__module__} already: give it a name of its own."
            )
        _found[name] = Agent(
            name=name, title=title, description=description, function=function, offered=offered, prepare=prepare
        )
        return function

    return register


def agents() -> MappingProxyType[str, Agent]:
    """Every agent by its name, also those that are not on offer."""
    _look()
    return MappingProxyType(_found)


@cache
def _look() -> None:
    """Imports the room's files once. One that cannot be imported is logged and left out: the other agents go on."""
    room = import_module(ROOM)
    for module in iter_modules(room.__path__):
        if module.name.startswith("_"):
            continue
        try:
            import_module(f"{ROOM}.{module.name}")
        except Exception:  # somebody's new file: anything can be wrong with it
            logger.exception("The agent in %s.%s cannot be used.", ROOM, module.name)
