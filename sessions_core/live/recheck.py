"""Whether all who are connected here may still be, and may still see what they follow: one question for all of them."""

from collections.abc import Collection

from msgspec import Struct

from sessions_core.live import credentials
from sessions_core.live.credentials import Caller
from sessions_core.protocol.ids import SessionId, UserId
from sessions_core.services import access

Place = tuple[SessionId, UserId]


class Standing(Struct):
    """Who has to go: callers altogether, or a user from a Session."""

    expired: set[Caller]
    removed: set[Place]


def ask(callers: Collection[Caller], places: set[Place]) -> Standing:
    """Sync: run it through the bridge."""
    return Standing(expired=credentials.expired(callers), removed=places - access.memberships(places))
