"""Shared by the routes: the idempotency key of a command, and the errors and the content type of the routes."""

from typing import Annotated, Final
from uuid import UUID, uuid4

from ninja import Header

from sessions_core.api.schemas import ErrorResponse
from sessions_core.protocol.ids import ClientId

IdempotencyKey = Annotated[
    UUID | None,
    Header(
        alias="Idempotency-Key",
        description="A uuid, made once per command and kept over its retries: a repeat has no second effect.",
    ),
]
JSON: Final = "application/json; charset=utf-8"
REFUSALS: Final = {frozenset({401, 403, 404, 413, 422, 429, 500, 503}): ErrorResponse}
CONFLICTS: Final = {frozenset({401, 403, 404, 409, 413, 422, 429, 500, 503}): ErrorResponse}


def command_id(key: UUID | None) -> ClientId:
    """Returns the caller's idempotency key, or a new id: without a key every request is a command of its own."""
    return ClientId(key or uuid4())
