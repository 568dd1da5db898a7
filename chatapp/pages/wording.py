"""Sentences and values as text, the same in both renderers (static/js/ui/lib/strings.js, static/js/ui/asks/wording.js)."""

from decimal import Decimal
from typing import Any, Final

from chatapp.pages.strings import STRINGS
from sessions_core.protocol.timeline_types import Progress

SHOWN_DEPTH: Final = 4  # of lists and objects in a value; what is nested deeper is shown as …


def sentence(key: str, **values: str) -> str:
    """Returns a sentence of chatapp/pages/strings.py with its values filled in."""
    return str(STRINGS[key]).format(**values)


def number_text(value: float) -> str:
    """Returns the number as JavaScript writes it: 1000000, 2.5, 1e+21."""
    digits = repr(float(value))
    if value == 0:
        return "0"
    if 1e-6 <= abs(value) < 1e21:  # noqa: PLR2004  # where JavaScript begins to write exponents (Number::toString)
        return format(Decimal(digits), "f").removesuffix(".0")
    return digits.replace("e-0", "e-")


def progress_text(progress: Progress) -> str:
    """Returns the progress in one line."""
    if progress.done is None or progress.total is None:
        return progress.label
    return f"{progress.label} · {number_text(progress.done)}/{number_text(progress.total)}"


def value_rows(value: object) -> list[tuple[str, str]]:
    """Returns what a person answered, a row of name and text for each field; a value without fields has one without a name."""
    if isinstance(value, dict):
        return [(str(name), value_text(each)) for name, each in value.items()]
    return [("", value_text(value))]


def value_text(value: object, depth: int = SHOWN_DEPTH) -> str:
    """Returns the JSON value in words."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict):
        return _nested_text(value, depth) if depth else "…"
    if value is None:
        return "–"
    if isinstance(value, bool):
        return sentence("yes" if value else "no")
    return number_text(value) if isinstance(value, int | float) else ""


def _nested_text(value: list[Any] | dict[str, Any], depth: int) -> str:
    if isinstance(value, list):
        return ", ".join(value_text(each, depth - 1) for each in value)
    return ", ".join(f"{name}: {value_text(each, depth - 1)}" for name, each in value.items())
