"""Following a Session: cold, resumed, live, and when it is another log or gone."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.ws.person import Tab

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from sessions_core.access import Author
    from sessions_core.ids import SessionId

AsUser = Callable[..., Tab]


def test_cold_start_shows_the_log_and_stays_live(
    as_user: AsUser, alice: "User", owner: "Author", session: "SessionId"
) -> None:
    from tests.db.acts import say

    say(session, owner, "before")
    tab = as_user(alice)

    subscribed = tab.subscribe(session)
    assert subscribed["restart"] is False
    assert subscribed["role"] == "owner"
    first = tab.next("events")
    assert first["older"] is False

    posted = say(session, owner, "after")
    tab.until_seq(posted.seq + 1)
    assert tab.seqs == list(range(tab.seqs[0], tab.cursor + 1))
