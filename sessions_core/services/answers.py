"""Whether an answer fits its question: JSON Schema, checked by the library `jsonschema`, within bounds.

Schemas come from agents, values from anybody who may answer. Neither may make the check long: no address is fetched, and a
pattern is given up after a moment.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

import msgspec
import regex
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from sessions_core.models import Ask
from sessions_core.protocol.errors import BadAnswer, BadField, TooLarge
from sessions_core.protocol.text import is_fit

SCHEMA_BYTES: Final = 64 * 1024
ANSWER_BYTES: Final = 64 * 1024
DEPTH: Final = 32  # of a schema and of an answer
PATTERN_S: Final = 0.1
FIELDS: Final = 20  # wrong ones that are named
# What a person can do about an error of the schema's keyword.
_SENTENCES: Final[Mapping[str, str]] = {
    "required": "This is missing.",
    "type": "This has to be {}.",
    "enum": "This is none of the choices.",
    "const": "This is none of the choices.",
    "minLength": "This needs at least {} characters.",
    "maxLength": "This may have at most {} characters.",
    "minimum": "This has to be at least {}.",
    "maximum": "This may be at most {}.",
    "exclusiveMinimum": "This has to be more than {}.",
    "exclusiveMaximum": "This has to be less than {}.",
    "multipleOf": "This has to be a multiple of {}.",
    "minItems": "This needs at least {} entries.",
    "maxItems": "This may have at most {} entries.",
    "uniqueItems": "No entry may be there twice.",
    "pattern": "This does not have the form that is asked for.",
    "additionalProperties": "There is more here than was asked for.",
}
_TYPES: Final = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "yes or no",
    "array": "a list",
    "object": "a group of fields",
    "null": "empty",
}


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raises BadField when the schema is no JSON Schema, or too large."""
    _check_size(schema, SCHEMA_BYTES, "The schema of a question")
    try:
        _Validator.check_schema(dict(schema))
    except SchemaError as error:
        raise BadField(f"The schema of a question is none: {error.message}.") from None


def check(ask: Ask, value: object) -> None:
    """Raises BadAnswer, with a sentence for each wrong field, when the value does not answer the question."""
    check_size(value)
    schema = approval_schema(ask.schema) if ask.kind == "approval" else ask.schema
    fields: dict[str, str] = {}
    try:
        for error in _Validator(schema, registry=Registry()).iter_errors(value):
            fields.setdefault(_path(error), _sentence(error))
            if len(fields) == FIELDS:
                break
    except (Unresolvable, RecursionError):
        raise BadAnswer("This question cannot be answered: its schema refers to another one.") from None
    if fields:
        raise BadAnswer(fields=fields)


def check_size(value: object) -> None:
    """Raises TooLarge or BadField when the value cannot be kept."""
    _check_size(value, ANSWER_BYTES, "The value")


def approval_schema(tool: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the schema of an answer to the approval of a call, whose input may be changed."""
    shared = {"$defs": tool["$defs"]} if "$defs" in tool else {}  # `#/$defs/…` counts from the root
    return {
        **shared,
        "type": "object",
        "required": ["approve"],
        "additionalProperties": False,
        "properties": {"approve": {"type": "boolean"}, "input": dict(tool), "remember": {"type": "boolean"}},
    }


def _check_size(value: object, limit: int, what: str) -> None:
    if _depth(value) > DEPTH:
        raise BadField(f"{what} is nested too deeply.")
    encoded = msgspec.json.encode(value)
    if len(encoded) > limit:
        raise TooLarge(f"{what} has {len(encoded):,} bytes; at most {limit:,} are possible.")
    if not is_fit(encoded.decode().replace("\\u0000", "\0")):
        raise BadField(f"{what} holds a character that cannot be kept.")


def _depth(value: object) -> int:
    """Returns how deeply the value is nested, at most DEPTH + 1."""
    depth, level = 0, [value]
    while level and depth <= DEPTH:
        inner = [each for each in level if isinstance(each, dict | list)]
        level = [item for each in inner for item in (each.values() if isinstance(each, dict) else each)]
        depth += 1
    return depth


def _path(error: ValidationError) -> str:
    """Returns the place of the error: `address.city`, or the empty text for the whole answer."""
    path = [str(part) for part in error.absolute_path]
    if error.validator == "required":
        missing = [name for name in _wanted(error) if name not in cast("dict[str, object]", error.instance)]
        path += missing[:1]
    return ".".join(path)


def _sentence(error: ValidationError) -> str:
    wanted = _wanted(error)
    if error.validator == "type":
        wanted = " or ".join(_TYPES.get(name, name) for name in ([wanted] if isinstance(wanted, str) else wanted))
    return _SENTENCES.get(str(error.validator), "This does not fit the question.").format(wanted)


def _wanted(error: ValidationError) -> Any:  # noqa: ANN401  # the value of any keyword
    return error.validator_value


def _pattern(_: object, pattern: str, instance: object, __: object) -> Iterator[ValidationError]:
    if not isinstance(instance, str):
        return
    try:
        found = regex.search(pattern, instance, timeout=PATTERN_S)
    except (regex.error, TimeoutError):
        found = None
    if not found:
        yield ValidationError("does not match")


def _no_pattern_properties(*_: object) -> Iterator[ValidationError]:
    """Not checked: the names of fields that a form does not show."""
    yield from ()


_Validator: Final = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"pattern": _pattern, "patternProperties": _no_pattern_properties}
)
