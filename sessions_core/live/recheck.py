"""Checks again the rights of all who are connected here, together: with a few queries for all of them."""

from collections.abc import Collection

from msgspec import Struct

from sessions_core.protocol.ids import SessionId, UserId
from sessions_core.services import access, callers
from sessions_core.services.callers import Caller

Membership = tuple[SessionId, UserId]


class Lost(Struct):
    """Rights that do not hold any more."""

    callers: set[Caller]  # signed out, or their token was revoked
    memberships: set[Membership]


def find_lost(connected: Collection[Caller], memberships: set[Membership]) -> Lost:
    """Returns those who are signed out, and the memberships that have ended. Sync: call it through the bridge."""
    return Lost(callers=callers.expired(connected), memberships=memberships - access.memberships(memberships))
