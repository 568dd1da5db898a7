"""Checks again the rights of all who are connected here, together: with a few queries for all of them."""

from collections import defaultdict
from collections.abc import Collection
from typing import Final

from msgspec import Struct

from sessions_core.live.connection import Connection
from sessions_core.protocol.ids import SessionId, UserId
from sessions_core.services import access, callers
from sessions_core.services.callers import Caller

Membership = tuple[SessionId, UserId]
_NOBODY: Final[frozenset[Connection]] = frozenset()


class Lost(Struct):
    """Rights that do not hold any more."""

    callers: set[Caller]  # signed out, or their token was revoked
    memberships: set[Membership]


class Followers:
    """The Connections that follow a Session, by the membership that lets them. Kept with each Subscription, so that neither a
    recheck nor a removal looks at all Connections for each membership.
    """

    def __init__(self) -> None:
        self._connections: defaultdict[Membership, set[Connection]] = defaultdict(set)

    def add(self, connection: Connection, session: SessionId) -> None:
        self._connections[session, connection.caller.user].add(connection)

    def discard(self, connection: Connection, session: SessionId) -> None:
        membership = session, connection.caller.user
        self._connections[membership].discard(connection)
        if not self._connections[membership]:
            del self._connections[membership]

    def of(self, membership: Membership) -> Collection[Connection]:
        return tuple(self._connections.get(membership, _NOBODY))

    def memberships(self) -> set[Membership]:
        return set(self._connections)


def find_lost(connected: Collection[Caller], memberships: Collection[Membership]) -> Lost:
    """Returns those who are signed out, and the memberships that have ended. Sync: call it through the bridge."""
    return Lost(callers=callers.expired(connected), memberships=access.ended(memberships))
