"""Finds the agents: each file or folder of `agents/catalogue/` that holds an `@agent` is one. There is no list to keep."""

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

CATALOGUE: Final = "agents.catalogue"

AgentFunction = Callable[["AgentRun"], Awaitable[None]]


class Agent(Struct, frozen=True):
    """A registered agent: its function, and what `agent` was given."""

    name: str
    title: str
    description: str
    function: AgentFunction
    offered: bool
    prepare: Callable[[], object] | None


class AgentTaken(Exception):  # noqa: N818  # read as the sentence it is
    """Two agents have one name."""


_registered: Final[dict[str, Agent]] = {}


def agent(
    name: str,
    *,
    title: str,
    description: str,
    offered: bool = True,
    prepare: Callable[[], object] | None = None,
) -> Callable[[AgentFunction], AgentFunction]:
    """Registers an `async` function as the agent `name`. A worker runs it as the Celery task `agents.<name>`.

    People choose it by `title` and `description`. With `offered=False` it is not listed, but still executes Runs that were
    requested before. Each worker calls `prepare` once, on a thread, when it starts: for what takes long to load. Raises
    AgentTaken when another module has registered the name.
    """

    def register(function: AgentFunction) -> AgentFunction:
        before = _registered.get(name)
        if before is not None and before.function.__module__ != function.__module__:
            raise AgentTaken(
                f"“{name}” is an agent of {before.function.__module__} already: give it a name of its own."
            )
        _registered[name] = Agent(
            name=name, title=title, description=description, function=function, offered=offered, prepare=prepare
        )
        return function

    return register


def agents() -> MappingProxyType[str, Agent]:
    """Returns every agent by its name, also those that are not offered."""
    _import_catalogue()
    return MappingProxyType(_registered)


@cache
def _import_catalogue() -> None:
    """Imports each file of the catalogue once. Logs one that cannot be imported: the other agents still work."""
    catalogue = import_module(CATALOGUE)
    for module in iter_modules(catalogue.__path__):
        if module.name.startswith("_"):
            continue
        try:
            import_module(f"{CATALOGUE}.{module.name}")
        except Exception:  # anything can be wrong with a new file
            logger.exception("The agent in %s.%s cannot be used.", CATALOGUE, module.name)
