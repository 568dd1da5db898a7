"""Fields that Django does not have, and what several models need."""

from collections.abc import Iterable

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from typing_extensions import override


def choices(values: Iterable[str]) -> list[tuple[str, str]]:
    return [(value, value.capitalize()) for value in values]


class KeptJSONField(models.JSONField):
    """JSON in a column of type `json`, which keeps the text as it was written: a frame from the log has the same bytes as the
    hint. Lookups into the JSON do not work.
    """

    @override
    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "json"

    @override
    def from_db_value(self, value: object, expression: object, connection: BaseDatabaseWrapper) -> object:
        return value  # psycopg has parsed it already: Django prevents that for jsonb only
