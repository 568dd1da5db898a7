"""Readers reach the head although Redis loses hints, connections, or itself."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import redis

from tests.ws.tab import Tab

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from sessions_core.protocol.author import Author
    from sessions_core.protocol.ids import SessionId

AsUser = Callable[..., Tab]


@pytest.fixture
def valkey(settings: object) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(settings.REDIS_URL) as connected:  # type: ignore[attr-defined]
        yield connected


@pytest.fixture
def tab(as_user: AsUser, alice: "User", session: "SessionId") -> Tab:
    opened = as_user(alice)
    opened.subscribe(session)
    opened.until_seq(2)
    return opened


def append_without_hint(session: "SessionId", by: "Author") -> int:
    """Appends an Event like a process that dies between its commit and its hint. Returns the seq."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE session SET head = head + 1 WHERE id = %s RETURNING head", [session])
        seq: int = cursor.fetchone()[0]
        cursor.execute(
            "INSERT INTO event (session_id, seq, kind, at, actor_kind, actor_id, actor_name, data)"
            " VALUES (%s, %s, 'session.renamed', now(), 'user', %s, %s, %s)",
            [session, seq, str(by.user), by.name, '{"title": "quiet"}'],
        )
    return seq


def test_the_last_event_arrives_although_its_hint_was_lost(tab: Tab, session: "SessionId", owner: "Author") -> None:
    seq = append_without_hint(session, owner)

    tab.until_seq(seq)
    assert tab.applied[-1]["data"] == {"title": "quiet"}


def test_a_lost_hint_before_another_is_repaired_at_once(tab: Tab, session: "SessionId", owner: "Author") -> None:
    from tests.db.acts import post_message

    append_without_hint(session, owner)
    posted = post_message(session, owner)

    tab.until_seq(posted.seq)
    assert tab.seqs == list(range(1, tab.cursor + 1))


def test_killed_subscriptions_are_made_again(
    tab: Tab, session: "SessionId", owner: "Author", valkey: "redis.Redis"
) -> None:
    from tests.db.acts import post_message

    valkey.client_kill_filter(_type="pubsub")
    posted = post_message(session, owner)

    tab.until_seq(posted.seq)


def test_hints_of_another_log_are_not_believed(tab: Tab, session: "SessionId", owner: "Author") -> None:
    from sessions_core import hints
    from sessions_core.machines.feed import Span
    from tests.db.acts import post_message

    hints.publish(Span(session=session, epoch=99, start=2, end=3, body=b'{"seq":3}'))
    posted = post_message(session, owner)

    tab.until_seq(posted.seq)
    assert [frame["epoch"] for frame in tab.frames if frame["type"] == "events"] == [1] * (
        len([frame for frame in tab.frames if frame["type"] == "events"])
    )


def test_publishing_needs_no_loop_and_no_redis(settings: object, session: "SessionId") -> None:
    from sessions_core import hints
    from sessions_core.protocol.ids import RunId, UserId

    settings.CHANNEL_LAYERS = {  # type: ignore[attr-defined]
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": ["redis://127.0.0.1:1"]},
        }
    }
    hints.signal_cancel([RunId(uuid4())])
    hints.signal_access(UserId(1), session)
