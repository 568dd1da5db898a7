"""Whether all who are connected here may still be, and may still see what they follow: one question for all of them."""

from collections.abc import Collection

from msgspec import Struct

from sessions_core.protocol.ids import SessionId, UserId
from sessions_core.services import access, callers
from sessions_core.services.callers import Caller

Place = tuple[SessionId, UserId]


class Standing(Struct):
    """Who has to go: callers altogether, or a user from a Session."""

    expired: set[Caller]
    removed: set[Place]


def ask(connected: Collection[Caller], places: set[Place]) -> Standing:
    """Sync: run it through the bridge."""
    return Standing(expired=callers.expired(connected), removed=places - access.memberships(places))
