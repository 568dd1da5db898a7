"""A JSON Schema validator, of the library `jsonschema`, whose checks are bounded: no address is fetched, the keywords that are
evaluated are counted, and all patterns of a check have a time between them.

Patterns for the names of fields are not checked, nor what depends on them: no form shows such fields.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from datetime import datetime
from datetime import time as time_of_day
from typing import Any, Final

import msgspec
import regex
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry

PATTERNS_S: Final = 0.2  # for all patterns of one check
KEYWORDS: Final = 100_000  # evaluated in one check, which is about a second


class TooCostly(Exception):  # noqa: N818  # says what the schema and the value are together
    """The check was given up."""


class _Effort:
    """What one check may still take."""

    def __init__(self) -> None:
        self.keywords = KEYWORDS
        self.patterns_s = PATTERNS_S


_effort: ContextVar[_Effort] = ContextVar("effort")


def errors(schema: Mapping[str, Any], value: object) -> Iterator[ValidationError]:
    """Yields where the value does not fit the schema. Raises TooCostly, Unresolvable, RecursionError, ArithmeticError."""
    _effort.set(_Effort())
    yield from Validator(dict(schema), registry=Registry(), format_checker=_formats).iter_errors(value)


_Keyword = Callable[[Any, Any, Any, Any], Any]


def _required(_: object, names: list[str], instance: object, __: object) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for name in names:
            if name not in instance:
                yield ValidationError("is missing", path=(name,))


def _unique_items(_: object, is_wanted: object, instance: object, __: object) -> Iterator[ValidationError]:
    """In linear time; jsonschema compares each with each."""
    if is_wanted and isinstance(instance, list):
        distinct = {msgspec.json.encode(item, order="deterministic") for item in instance}
        if len(distinct) < len(instance):
            yield ValidationError("is there twice")


def _pattern(_: object, pattern: str, instance: object, __: object) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _is_found(pattern, instance):
        yield ValidationError("does not match")


def _is_found(pattern: str, text: str) -> bool:
    """Returns False, too, when that is not known in time."""
    effort = _effort.get()
    if effort.patterns_s <= 0:
        return False
    begun = time.monotonic()
    try:
        return regex.search(pattern, text, timeout=effort.patterns_s) is not None
    except (regex.error, TimeoutError):
        return False
    finally:
        effort.patterns_s -= time.monotonic() - begun


def _unchecked(*_: object) -> tuple[()]:
    return ()


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Any:  # noqa: ANN401  # JSON
    """Not beside patterns for the names of fields, which jsonschema would search without a bound."""
    if "patternProperties" in schema:
        return ()
    return Draft202012Validator.VALIDATORS["additionalProperties"](validator, allowed, instance, schema)


def _counted(keyword: _Keyword) -> _Keyword:
    def evaluate(validator: Any, wanted: Any, instance: Any, schema: Any) -> Any:  # noqa: ANN401  # JSON
        effort = _effort.get()
        effort.keywords -= 1 + (len(wanted) if isinstance(wanted, dict | list) else 0)
        if effort.keywords < 0:
            raise TooCostly
        return keyword(validator, wanted, instance, schema)

    return evaluate


_KEYWORDS: Final[Mapping[str, _Keyword]] = {
    **Draft202012Validator.VALIDATORS,
    "required": _required,
    "uniqueItems": _unique_items,
    "pattern": _pattern,
    "additionalProperties": _additional_properties,
    "patternProperties": _unchecked,
    "unevaluatedProperties": _unchecked,  # as additionalProperties
}
Validator: Final = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {name: _counted(keyword) for name, keyword in _KEYWORDS.items()}
)


def _is_moment(text: object) -> bool:
    return not isinstance(text, str) or bool(datetime.fromisoformat(text))


def _is_time(text: object) -> bool:
    return not isinstance(text, str) or bool(time_of_day.fromisoformat(text))


_formats: Final = FormatChecker(formats=("date", "email", "uuid", "ipv4", "ipv6"))
_formats.checks("date-time", raises=ValueError)(_is_moment)
_formats.checks("time", raises=ValueError)(_is_time)
