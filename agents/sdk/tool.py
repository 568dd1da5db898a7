"""Tools: functions of an agent that a model may call (docs/topics/tools.md). `agents.provider` shows them to the model."""

import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar, overload

from msgspec import Struct

from agents.sdk import registration
from agents.sdk.registration import BadAgent

ToolFunction = Callable[..., Awaitable[object]]
F = TypeVar("F", bound=ToolFunction)
# Called as the tool itself is, so that it can look at the arguments. Returns whether a person has to approve the call.
ApproveFunction = Callable[..., bool | Awaitable[bool]]

_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]*")  # what all providers take
_NAMED: Final = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


class BadTool(BadAgent):
    """A tool cannot be registered as it is written. The sentence says what is wrong."""


class Tool(Struct, frozen=True, eq=False):
    """A registered tool: its function and what `tool` was given. `function` is the tool without the loop, for tests.

    `approve`: True, or a function of the same arguments that says so, when a person has to approve each call. `idempotent`: a
    call that was cut off is made again, with the same `run.key`. `timeout` in seconds.
    """

    name: str
    title: str
    description: str
    function: ToolFunction
    idempotent: bool
    approve: bool | ApproveFunction
    timeout: float | None


@overload
def tool(function: ToolFunction, /) -> Tool: ...
@overload
def tool(
    *,
    idempotent: bool = False,
    approve: bool | ApproveFunction = False,
    title: str | None = None,
    timeout: float | None = None,
) -> Callable[[ToolFunction], Tool]: ...
def tool(
    function: ToolFunction | None = None,
    /,
    *,
    idempotent: bool = False,
    approve: bool | ApproveFunction = False,
    title: str | None = None,
    timeout: float | None = None,
) -> Tool | Callable[[ToolFunction], Tool]:
    """Makes a tool of an `async` function whose first parameter is the AgentRun. The model is shown its name, its docstring and
    its other parameters; people read `title`. Raises BadTool when that is not possible.
    """

    def register(function: ToolFunction) -> Tool:
        name = getattr(function, "__name__", repr(function))
        shown = name.replace("_", " ").strip().capitalize() if title is None else title
        description = inspect.getdoc(function) or ""
        _check(name, shown, description, function)
        _check_options(name, approve, timeout)
        return Tool(name, shown, description, function, idempotent, approve, timeout)

    return register if function is None else register(function)


def check_tools(agent: str, tools: Sequence[object]) -> None:
    """Raises BadTool when an agent cannot have these tools."""
    names = set[str]()
    for each in tools:
        if not isinstance(each, Tool):
            raise BadTool(f"The agent “{agent}” is given {each!r} as a tool: write `@tool` above the function.")
        if each.name in names:
            raise BadTool(f"The agent “{agent}” has two tools called “{each.name}”: a model could not tell them apart.")
        names.add(each.name)


def _check(name: str, title: str, description: str, function: ToolFunction) -> None:
    if not _NAME.fullmatch(name) or len(name) > registration.NAME_CHARACTERS:
        raise BadTool(
            f"A tool cannot be called “{name}”: a name has up to {registration.NAME_CHARACTERS} letters from A to Z, digits,"
            " - and _ only, and begins with a letter or _."
        )
    try:
        registration.check_text(f"The title of the tool “{name}”", title, registration.TITLE_CHARACTERS)
    except BadAgent as error:
        raise BadTool(str(error)) from None
    if not description.strip():
        raise BadTool(f"The tool “{name}” has no docstring: the model reads there what it does, and when to use it.")
    if not inspect.iscoroutinefunction(function):
        raise BadTool(f"The function of the tool “{name}” is not `async def`: it would block all agents.")
    _check_parameters(name, list(inspect.signature(function).parameters.values()))


def _check_parameters(name: str, parameters: list[inspect.Parameter]) -> None:
    if not parameters or parameters[0].kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
        raise BadTool(f"The tool “{name}” does not take the Run: its first parameter is `run: AgentRun`.")
    for parameter in parameters[1:]:
        if parameter.kind not in _NAMED:
            raise BadTool(
                f"The tool “{name}” takes “{parameter}”: a model passes arguments by name, so each needs a parameter of its own."
            )
        if parameter.annotation is inspect.Parameter.empty:
            raise BadTool(
                f"The parameter “{parameter.name}” of the tool “{name}” has no type: the model has to know what to pass."
            )


def _check_options(name: str, approve: object, timeout: float | None) -> None:
    if not isinstance(approve, bool) and not callable(approve):
        raise BadTool(f"`approve` of the tool “{name}” is neither True or False nor a function, but {approve!r}.")
    if timeout is not None and not timeout > 0:
        raise BadTool(f"The timeout of the tool “{name}” is {timeout!r}: it has to be more than 0 seconds.")
