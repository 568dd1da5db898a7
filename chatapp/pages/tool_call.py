"""A tool call as the page shows it (static/js/ui/conversation/tool-call.js)."""

import json
from collections.abc import Iterable
from typing import Final

from msgspec import UNSET

from chatapp.pages.wording import progress_text, sentence
from sessions_core.protocol.timeline_types import Ask, ToolCall

SAFE_INTEGER: Final = 2**53  # below it JavaScript writes a whole number as it is


def state(call: ToolCall | None, items: Iterable[object]) -> str:
    """Returns the state of the call in its Answer, whose items are given: `asked` while people have to allow it first."""
    if call is None:
        return ""
    asks = (item for item in items if isinstance(item, Ask) and item.call == call.id)
    return "asked" if call.state == "called" and any(ask.is_open for ask in asks) else call.state


def state_text(call: ToolCall | None, items: Iterable[object]) -> str:
    """Returns what the line says of the call."""
    if call is None:
        return ""
    match state(call, items):
        case "failed":
            return sentence("tool_unknown" if call.unknown else "tool_failed")
        case "returned":
            return sentence("tool_done")
        case "asked":
            return sentence("tool_asked")
        case _:
            return progress_text(call.progress) if call.progress else sentence("tool_at_work")


def output_text(call: ToolCall | None) -> str:
    """Returns what the tool has given, or what went wrong."""
    if call is None:
        return ""
    return json_text(call.output) if call.error is None else call.error


def json_text(value: object) -> str:
    """Returns what a tool was given, or has given, as text."""
    if value is UNSET or value == "":
        return ""
    return value if isinstance(value, str) else json.dumps(_as_javascript(value), ensure_ascii=False, indent=2)


def _as_javascript(value: object) -> object:
    """Returns the value with 2 in place of 2.0, as JavaScript writes it."""
    match value:
        case dict():
            return {name: _as_javascript(each) for name, each in value.items()}
        case list():
            return [_as_javascript(each) for each in value]
        case float() if value.is_integer() and abs(value) < SAFE_INTEGER:
            return int(value)
        case _:
            return value
