"""What commands share: the id that makes a repeat harmless, and the refusals that every route may answer."""

from typing import Annotated, Final
from uuid import UUID, uuid4

from ninja import Header

from sessions_core.api.schemas import Refused
from sessions_core.protocol.ids import ClientId

IdempotencyKey = Annotated[
    UUID | None,
    Header(
        alias="Idempotency-Key",
        description="A uuid, made once per command and kept over its retries: a repeat has no second effect.",
    ),
]
REFUSALS: Final = {frozenset({401, 403, 404, 413, 422, 429, 500, 503}): Refused}
CONFLICTS: Final = {frozenset({401, 403, 404, 409, 413, 422, 429, 500, 503}): Refused}


def command_id(key: UUID | None) -> ClientId:
    """The command's id: the caller's, or a fresh one for a caller who will not repeat it."""
    return ClientId(key or uuid4())
