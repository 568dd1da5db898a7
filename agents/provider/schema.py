"""What a model and people are shown of a tool, made by pydantic-ai of the function's signature and docstring."""

import inspect
from functools import cache, wraps
from typing import Any

import msgspec
from pydantic_ai import Tool as PydanticTool
from pydantic_ai.messages import ToolCallPart
from pydantic_ai.tools import ToolDefinition

from agents.sdk.tool import Tool, ToolFunction


def definition(tool: Tool) -> ToolDefinition:
    """Returns what a model is shown."""
    return _described(tool).tool_def


def arguments(tool: Tool, given: object) -> dict[str, Any]:
    """Returns the arguments for the tool's function. Raises pydantic's ValidationError when they do not fit, and ValueError when
    they are no JSON.
    """
    text = given if isinstance(given, str) else msgspec.json.encode(given or {})
    validated: dict[str, Any] = _described(tool).function_schema.validator.validate_json(text or "{}")
    return validated


def input_of(part: ToolCallPart) -> object:
    """Returns the input of a call as the log holds it: an object, or the text when a model wrote no JSON."""
    try:
        return part.args_as_dict(raise_if_invalid=True)
    except (ValueError, AssertionError):
        return part.args


def parameters(tool: Tool) -> dict[str, Any]:
    """Returns the JSON Schema of the arguments."""
    return dict(_described(tool).function_schema.json_schema)


@cache
def _described(tool: Tool) -> PydanticTool[Any]:
    return PydanticTool(
        _without_run(tool.function),
        takes_ctx=False,
        name=tool.name,
        docstring_format="auto",
        requires_approval=tool.approve is not False,
        timeout=tool.timeout,
    )


def _without_run(function: ToolFunction) -> ToolFunction:
    """Returns a function with the signature that the model is shown. Nobody calls it."""

    @wraps(function)
    async def shown(**_: object) -> None: ...

    run, *parameters = inspect.signature(function).parameters.values()
    vars(shown)["__signature__"] = inspect.Signature(parameters)
    shown.__annotations__ = {
        name: kind for name, kind in function.__annotations__.items() if name not in {run.name, "return"}
    }
    return shown
