"""An answer fits its question, or the person reads what to mend. No schema and no answer makes the check long or break."""

import json
import time
from contextlib import suppress
from datetime import date
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from sessions_core.protocol.errors import BadAnswer, BadField, Refusal, TooLarge
from sessions_core.services import answers
from tests.support.random_input import many

NAMES: Final = st.sampled_from(["a", "b", "$ref", "type", "properties"])
KEYWORDS: Final = st.sampled_from(
    [
        *("type", "properties", "required", "items", "enum", "const", "anyOf", "oneOf", "allOf", "not", "if", "then"),
        *("$ref", "$defs", "$id", "pattern", "format", "patternProperties", "additionalProperties", "uniqueItems"),
        *("minimum", "maxLength", "multipleOf", "minItems", "contains", "dependentRequired", "unevaluatedProperties"),
    ]
)
LEAVES: Final = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.just(10**400)
    | st.sampled_from(
        ["#", "#/$defs/a", "string", "object", "date", "(a+)+$", "(", "a{2}", "urn:x", "http://localhost/"]
    )
)
VALUES: Final = st.recursive(
    LEAVES | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | KEYWORDS, inner, max_size=3),
    max_leaves=10,
)
SCHEMAS: Final = st.dictionaries(KEYWORDS, VALUES, max_size=4)

SLOW: Final = "^(a|a)*$"
DOUBLING: Final = {str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(40)} | {"40": {}}


class Address(BaseModel):
    city: str = Field(min_length=2)


class Trip(BaseModel):
    day: date
    people: int = Field(ge=1)
    address: Address
    note: int | None = None


TRIP: Final = Trip.model_json_schema()


def wrong_fields(schema: dict[str, Any], value: object) -> dict[str, str]:
    answers.check_schema(schema)
    with pytest.raises(BadAnswer) as refused:
        answers.check_value(schema, value)
    return refused.value.fields


def test_each_wrong_field_has_a_sentence() -> None:
    assert wrong_fields(TRIP, {"day": "soon", "people": 0, "address": {"city": "X"}, "note": "none"}) == {
        "day": "This has to be a date, such as 2026-01-31.",
        "people": "This has to be at least 1.",
        "address.city": "This needs at least 2 characters.",
        "note": "This has to be a whole number.",
    }


def test_all_that_is_missing_is_named() -> None:
    assert wrong_fields(TRIP, {"address": {}}) == {
        "day": "This is missing.",
        "people": "This is missing.",
        "address.city": "This is missing.",
    }


def test_what_fits_is_taken() -> None:
    answers.check_value(TRIP, {"day": "2026-01-31", "people": 2, "address": {"city": "Rome"}, "note": None})


@pytest.mark.parametrize(
    ("schema", "value", "sentence"),
    [
        ({"enum": ["yes", "no"]}, "maybe", "This is none of the choices."),
        ({"type": ["string", "null"]}, 1, "This has to be a text or empty."),
        ({"type": "string", "pattern": "^[a-z]+$"}, "A", "This does not have the form that is asked for."),
        ({"format": "date-time"}, "now", "This has to be a date and a time, such as 2026-01-31T12:30:00Z."),
        ({"format": "time"}, "late", "This has to be a time, such as 12:30:00."),
        ({"format": "email"}, "alice", "This has to be an e-mail address."),
        ({"type": "array", "uniqueItems": True}, [{"a": 1}, {"a": 1}], "No entry may be there twice."),
        ({"multipleOf": 0.5}, 0.7, "This has to be a multiple of 0.5."),
        ({"additionalProperties": False}, {"a": 1}, "There is more here than was asked for."),
        ({"not": {}}, 1, "This does not fit the question."),
    ],
)
def test_a_sentence_says_what_to_mend(schema: dict[str, Any], value: object, sentence: str) -> None:
    assert wrong_fields(schema, value) == {"": sentence}


def test_a_form_of_msgspec_is_a_schema() -> None:
    class Choice(msgspec.Struct):
        size: int

    assert wrong_fields(msgspec.json.schema(Choice), {"size": "big"}) == {"size": "This has to be a whole number."}


def test_changed_input_of_a_call_fits_its_tool() -> None:
    schema = answers.approval_schema(TRIP)
    answers.check_value(schema, {"approve": True})

    with pytest.raises(BadAnswer) as refused:
        answers.check_value(schema, {"approve": True, "input": {"day": "2026-01-31", "people": 1, "address": {}}})
    assert refused.value.fields == {"input.address.city": "This is missing."}
    with pytest.raises(BadAnswer) as refused:
        answers.check_value(schema, {"approve": "yes"})
    assert refused.value.fields == {"approve": "This has to be yes or no."}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "text"},
        {"type": "string", "pattern": "("},
        {"$ref": "http://localhost:1/schema"},
        {"properties": {"a": {"$ref": "#/$defs/absent"}}},
        {"required": "a"},
    ],
)
def test_a_schema_that_is_none_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(BadField):
        answers.check_schema(schema)


def test_the_size_and_depth_of_schema_and_value_are_bounded() -> None:
    deep: object = None
    for _ in range(answers.DEPTH + 1):
        deep = [deep]
    for check in (answers.check_size, lambda value: answers.check_schema({"enum": [value]})):
        with pytest.raises(TooLarge):
            check("x" * answers.ANSWER_BYTES)
        with pytest.raises(BadField):
            check(deep)


@pytest.mark.parametrize("text", ["a\0b", "\\\0", "\ud800"])
def test_what_the_database_cannot_hold_is_refused_and_what_only_looks_like_it_is_not(text: str) -> None:
    for value in (text, [{"a": text}], {text: 1}):
        with pytest.raises(BadField):
            answers.check_size(value)
        looks_like_it = msgspec.json.decode(json.dumps(value).replace("\\", "\\\\"))
        answers.check_size(looks_like_it)


# Each of them takes minutes or hours without a bound.
@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"items": {"pattern": SLOW}}, ["a" * 60 + "b"] * 500),
        ({"patternProperties": {SLOW: False}, "additionalProperties": False, "minProperties": 2}, {"a" * 60 + "b": 1}),
        ({"$ref": "#/$defs/0", "$defs": DOUBLING}, 1),
        ({"items": {"enum": list(range(5000))}}, [-1] * 10_000),
        ({"uniqueItems": True, "minItems": 10_000}, [{"a": n} for n in range(6000)]),
        ({"$ref": "#"}, 1),
    ],
)  # fmt: skip
def test_no_check_takes_long(schema: dict[str, Any], value: object) -> None:
    answers.check_schema(schema)
    begun = time.process_time()

    with pytest.raises(BadAnswer):
        answers.check_value(schema, value)

    assert time.process_time() - begun < 20


@settings(max_examples=many(300), deadline=None)
@given(schema=SCHEMAS, value=VALUES)
def test_any_schema_and_value_are_judged(schema: dict[str, Any], value: object) -> None:
    with suppress(BadField):
        answers.check_schema(schema)
        with suppress(Refusal):
            answers.check_value(schema, value)
        with suppress(Refusal):
            answers.check_value(answers.approval_schema(schema), {"approve": True, "input": value})
