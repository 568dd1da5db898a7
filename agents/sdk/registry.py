"""Finds the agents: each file or folder of `agents/catalogue/` that holds an `@agent` is one. There is no list to keep."""

import traceback
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from agents.sdk import registration
from agents.sdk.limits import Limits
from agents.sdk.tool import Tool, check_tools
from sessions_core.protocol.text import shorten

if TYPE_CHECKING:
    from agents.sdk.run import AgentRun

CATALOGUE: Final = "agents.catalogue"
ROOT: Final = Path(__file__).parents[2]  # places are told from here
REASON_CHARACTERS: Final = 300

AgentFunction = Callable[["AgentRun"], Awaitable[None]]


class Agent(Struct, frozen=True):
    """A registered agent: its function, what `agent` was given, and the place where that stands."""

    name: str
    title: str
    description: str
    function: AgentFunction
    offered: bool
    prepare: Callable[[], object] | None
    limits: Limits
    version: int
    tools: tuple[Tool, ...]
    place: str


class Problem(Struct, frozen=True):
    """Why agents cannot be used, as a sentence. E001: a file cannot be imported; E002: it registers what is not possible; E003:
    two have one name.
    """

    code: Literal["E001", "E002", "E003"]
    sentence: str
    error: BaseException | None = None


_registered: Final[dict[str, list[Agent]]] = {}  # by name; of several with one name none is used


def agent(
    name: str,
    *,
    title: str,
    description: str,
    offered: bool = True,
    prepare: Callable[[], object] | None = None,
    limits: Limits = Limits(),  # noqa: B008  # it is frozen
    version: int = 1,
    tools: Sequence[Tool] = (),
) -> Callable[[AgentFunction], AgentFunction]:
    """Registers an `async` function as the agent `name`. A worker runs it as the Celery task `agents.<name>`.

    People choose it by `title` and `description`. With `offered=False` it is not listed, but still executes Runs that were
    requested before. Each worker calls `prepare` once, on a thread, when it starts: for what takes long to load. Runs wait
    for it. `limits`: what one Run may spend; the settings say the rest. `tools`: those of `message.model`. `version`: raise it
    when Runs that are at work or wait cannot go on with the new code: they begin anew. Raises BadAgent when one of them is not
    possible (`registration`). Of two agents with one name, neither is used.
    """
    caller = traceback.extract_stack(limit=2)[0]
    place = _place(caller.filename, caller.lineno or 1)

    def register(function: AgentFunction) -> AgentFunction:
        registration.check(name, title, description, function)
        registration.check_limits(name, limits)
        registration.check_version(name, version)
        check_tools(name, tools)
        others = [other for other in _registered.get(name, []) if other.place != place]
        found = Agent(name, title, description, function, offered, prepare, limits, version, tuple(tools), place)
        _registered[name] = [*others, found]
        return function

    return register


def agents() -> MappingProxyType[str, Agent]:
    """Returns every agent by its name, also those that are not offered."""
    _import_catalogue()
    return MappingProxyType({name: found[0] for name, found in _registered.items() if len(found) == 1})


def problems() -> tuple[Problem, ...]:
    """Returns what keeps agents of the catalogue from being used."""
    return (*_import_catalogue(), *_shared_names())


def _shared_names() -> Iterator[Problem]:
    for name, found in _registered.items():
        if len(found) > 1:
            places = " and ".join(sorted(agent.place for agent in found))
            yield Problem(
                "E003", f"The agent “{name}” is not used, because it is there twice: in {places}. Rename one of them."
            )


@cache
def _import_catalogue() -> tuple[Problem, ...]:
    """Imports each file of the catalogue once. Returns why some cannot be used: the other agents still work."""
    found: list[Problem] = []
    for module in iter_modules(import_module(CATALOGUE).__path__):
        if module.name.startswith("_"):
            continue
        name = f"{CATALOGUE}.{module.name}"
        try:
            import_module(name)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # anything can be wrong with a new file
            found.append(_problem(name, error))
            _forget(name)
    return tuple(found)


def _forget(module: str) -> None:
    """Removes what a file had registered before its import failed: what that needs may stand below."""
    for name, found in list(_registered.items()):
        left = [agent for agent in found if not f"{agent.function.__module__}.".startswith(f"{module}.")]
        _registered[name] = left
        if not left:
            del _registered[name]


def _problem(module: str, error: BaseException) -> Problem:
    if isinstance(error, registration.BadAgent):
        return Problem("E002", f"{_where(module, error)}: {error} The agents of this file are not used.", error)
    reason = shorten(" ".join(f"{type(error).__name__}: {error}".split()), REASON_CHARACTERS)
    return Problem("E001", f"{_where(module, error)}, cannot be imported, so its agents are not used: {reason}", error)


def _where(module: str, error: BaseException) -> str:
    """Returns the innermost line of the catalogue that the error has come through."""
    if isinstance(error, SyntaxError) and error.filename:
        return _place(error.filename, error.lineno or 1)
    folders = tuple(import_module(CATALOGUE).__path__)
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(folders)]
    return _place(lines[-1].filename, lines[-1].lineno or 1) if lines else module


def _place(file: str, line: int) -> str:
    path = Path(file)
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    return f"{shown}, line {line}"
