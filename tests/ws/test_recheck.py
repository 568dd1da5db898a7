"""Followers knows who follows by which membership, without a look at the others."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from sessions_core.live.recheck import Followers
from sessions_core.protocol.ids import SessionId, UserId

if TYPE_CHECKING:
    from sessions_core.live.connection import Connection

ALICE, BOB = UserId(1), UserId(2)


class _Connection:
    """As much of a Connection as Followers asks for."""

    def __init__(self, user: UserId) -> None:
        self.caller = SimpleNamespace(user=user)


def connection(user: UserId) -> "Connection":
    return cast("Connection", _Connection(user))


def test_a_membership_leads_to_its_connections_only() -> None:
    followers, session, another = Followers(), SessionId(uuid4()), SessionId(uuid4())
    laptop, phone, bobs = connection(ALICE), connection(ALICE), connection(BOB)
    for each in (laptop, phone, bobs):
        followers.add(each, session)
    followers.add(laptop, another)

    assert set(followers.of((session, ALICE))) == {laptop, phone}
    assert set(followers.of((another, ALICE))) == {laptop}
    assert followers.of((another, BOB)) == ()
    assert followers.memberships() == {(session, ALICE), (session, BOB), (another, ALICE)}


def test_a_membership_that_nobody_uses_any_more_is_not_asked_about() -> None:
    followers, session, alices = Followers(), SessionId(uuid4()), connection(ALICE)
    followers.add(alices, session)

    followers.discard(alices, session)

    assert followers.memberships() == set()
    assert followers.of((session, ALICE)) == ()
