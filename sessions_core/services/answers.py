"""Whether an answer fits its question: JSON Schema, checked by the library `jsonschema`, within bounds.

Schemas come from agents, values from anybody who may answer. Both have a size and a depth; `json_schema` bounds the check itself.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from sessions_core.models import Ask
from sessions_core.protocol.errors import BadAnswer, BadField, TooLarge
from sessions_core.protocol.text import LONE_SURROGATE
from sessions_core.services import json_schema

SCHEMA_BYTES: Final = 64 * 1024
ANSWER_BYTES: Final = 64 * 1024
DEPTH: Final = 32  # of a schema and of an answer
FIELDS: Final = 20  # wrong ones that are named
COMPLAINT_CHARACTERS: Final = 200  # of what is wrong with a schema
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # in JSON, where `\\u0000` is a backslash and five letters
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
    "format": "This does not have the form that is asked for.",
}
_FORMATS: Final[Mapping[str, str]] = {
    "date": "This has to be a date, such as 2026-01-31.",
    "time": "This has to be a time, such as 12:30:00.",
    "date-time": "This has to be a date and a time, such as 2026-01-31T12:30:00Z.",
    "email": "This has to be an e-mail address.",
    "uuid": "This has to be a UUID.",
    "ipv4": "This has to be an IPv4 address.",
    "ipv6": "This has to be an IPv6 address.",
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
    """Raises BadField when the schema is no JSON Schema, refers to another one, or is too large."""
    _check_size(schema, SCHEMA_BYTES, "The schema of a question")
    try:
        json_schema.Validator.check_schema(dict(schema))
        _check_references(dict(schema))
    except SchemaError as error:
        complaint = f"{error.json_path}: {error.message}"[:COMPLAINT_CHARACTERS]
        raise BadField(f"The schema of a question is none: {complaint}.") from None
    except Unresolvable as error:
        raise BadField(f"The schema of a question refers to something outside of it: {error.ref}.") from None
    except (RecursionError, OverflowError, re.error):
        raise BadField("The schema of a question cannot be checked.") from None


def check(ask: Ask, value: object) -> None:
    """Raises BadAnswer, with a sentence for each wrong field, when the value does not answer the question."""
    check_value(approval_schema(ask.schema) if ask.kind == "approval" else ask.schema, value)


def check_value(schema: Mapping[str, Any], value: object) -> None:
    """Raises BadAnswer, with a sentence for each wrong field, when the value does not fit the schema."""
    check_size(value)
    fields: dict[str, str] = {}
    try:
        for error in json_schema.errors(schema, value):
            for leaf in _leaves(error):
                fields.setdefault(".".join(map(str, leaf.absolute_path)), _sentence(leaf))
            if len(fields) >= FIELDS:
                break
    except Unresolvable:
        raise BadAnswer("This question cannot be answered: its schema refers to another one.") from None
    except (json_schema.TooCostly, RecursionError, ArithmeticError):
        raise BadAnswer("This answer is too complicated to be checked.") from None
    if fields:
        raise BadAnswer(fields=fields)


def check_size(value: object) -> None:
    """Raises TooLarge or BadField when the value cannot be kept."""
    _check_size(value, ANSWER_BYTES, "The value")


def approval_schema(tool: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the schema of an answer to the approval of a call, whose input may be changed."""
    tool_input = {"$id": "urn:tool", **tool}  # its references are to itself
    return {
        "type": "object",
        "required": ["approve"],
        "additionalProperties": False,
        "properties": {"approve": {"type": "boolean"}, "input": tool_input, "remember": {"type": "boolean"}},
    }


def _check_size(value: object, limit: int, what: str) -> None:
    if _depth(value) > DEPTH:
        raise BadField(f"{what} is nested too deeply.")
    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:
        raise BadField(f"{what} {LONE_SURROGATE}") from None
    if len(encoded) > limit:
        raise TooLarge(f"{what} has {len(encoded):,} bytes; at most {limit:,} are possible.")
    if _NUL.search(encoded):
        raise BadField(f"{what} holds a NUL character, which cannot be kept.")


def _depth(value: object) -> int:
    """Returns how deeply the value is nested, at most DEPTH + 1."""
    depth, level = 0, [value]
    while level and depth <= DEPTH:
        inner = [each for each in level if isinstance(each, dict | list)]
        level = [item for each in inner for item in (each.values() if isinstance(each, dict) else each)]
        depth += 1
    return depth


def _check_references(schema: dict[str, Any]) -> None:
    """Raises Unresolvable when a `$ref` of the schema is not to be found in the schema."""
    resolver = Registry().with_resource("", DRAFT202012.create_resource(schema)).resolver()
    level: list[object] = [schema]
    while level:
        found = [each for each in level if isinstance(each, dict)]
        for each in found:
            for reference in (each.get("$ref"), each.get("$dynamicRef")):
                if isinstance(reference, str):
                    resolver.lookup(reference)
        level = [item for each in level if isinstance(each, dict | list) for item in _items(each)]


def _items(value: dict[str, object] | list[object]) -> list[object]:
    return list(value.values()) if isinstance(value, dict) else value


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Yields what a person can mend. Of a field that may be left empty, that is the error of what it is otherwise."""
    inner = [each for each in error.context or () if (each.validator, each.validator_value) != ("type", "null")]
    if inner and len({each.schema_path[0] for each in inner}) == 1:
        for each in inner:
            yield from _leaves(each)
    else:
        yield error


def _sentence(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    if error.validator == "type":
        wanted = " or ".join(_TYPES.get(name, name) for name in ([wanted] if isinstance(wanted, str) else wanted))
    if error.validator == "format" and wanted in _FORMATS:
        return _FORMATS[wanted]
    return _SENTENCES.get(str(error.validator), "This does not fit the question.").format(wanted)
