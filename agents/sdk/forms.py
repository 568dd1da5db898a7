"""The form of a question: a pydantic model, a msgspec Struct, a JSON Schema, or a list of choices; and an answer in its type."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

import msgspec
from msgspec import Struct

from sessions_core.protocol.events import AskKind


class _Pydantic(Protocol):
    def model_json_schema(self) -> dict[str, Any]: ...

    def model_validate(self, value: object) -> Any: ...  # noqa: ANN401  # an instance of the model


Form = type[Any] | Mapping[str, Any] | Sequence[str]


class AskForm(Struct, frozen=True):
    """A form as the log has it: `schema` is a JSON Schema."""

    kind: AskKind
    schema: Mapping[str, Any]


def ask_form(form: Form) -> AskForm:
    """Returns the form as JSON Schema. Raises TypeError."""
    if isinstance(form, Mapping):
        return AskForm("form", dict(form))
    if isinstance(form, type):
        if hasattr(form, "model_json_schema"):
            return AskForm("form", cast("_Pydantic", form).model_json_schema())
        return AskForm("form", msgspec.json.schema(form))
    if isinstance(form, str) or not form:
        raise TypeError(
            f"A form is a pydantic model, a msgspec Struct, a JSON Schema or a list of texts, not {form!r}."
        )
    return AskForm("choice", {"enum": [str(choice) for choice in form]})


def answer_of(form: Form, value: object) -> Any:  # noqa: ANN401  # of the form's type
    """Returns the value, which fits the form, in the form's type. Raises the error of that type when it does not take it."""
    if isinstance(form, type):
        if hasattr(form, "model_validate"):
            return cast("_Pydantic", form).model_validate(value)
        return msgspec.convert(value, form)
    return value
