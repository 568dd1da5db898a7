"""What the guard over the engine's statements sees. It runs at the end of every test run with a database (tests/conftest.py)."""

from typing import Any
from uuid import uuid4

import pytest

from sessions_core.models import Run
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import BadField
from sessions_core.protocol.ids import SessionId, new_message
from sessions_core.services import sessions
from tests.db.acts import new_client_id, post_message
from tests.support import plans, statements
from tests.support.statements import Statement

pytestmark = pytest.mark.django_db(transaction=True)

KEY = uuid4()


def faults(sql: str, *parameters: Any) -> list[str]:  # noqa: ANN401  # what SQL takes
    return plans.growing([Statement(sql, parameters, "here")])


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("SELECT 1 FROM event WHERE at > now()", "reads all of event"),
        ("DELETE FROM run WHERE worker = 'w'", "reads all of run"),
        ("SELECT count(*) FROM event", "walks through all of event"),
        ("SELECT 1 FROM event WHERE session_id = %s AND message_id = %s LIMIT 1", "searches in what"),
        ("SELECT 1 FROM event WHERE session_id = %s AND run_id = %s", "searches in what"),
        ("SELECT id FROM run WHERE session_id = %s ORDER BY requested_at DESC LIMIT 5", "sorts all that"),
    ],
)
def test_what_grows_is_found(sql: str, fault: str) -> None:
    (found,) = faults(sql, *[KEY] * sql.count("%s"))

    assert fault in found


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 FROM event WHERE session_id = %s AND message_id = %s AND kind = 'message.posted' LIMIT 1",
        "SELECT data FROM event WHERE session_id = %s AND seq > 5 ORDER BY seq LIMIT 100",
        "SELECT id FROM run WHERE session_id = %s ORDER BY asked_seq DESC LIMIT 5",
        "SELECT id FROM run WHERE ended_at IS NULL AND state = 'requested'",
        "SELECT id FROM session ORDER BY active_at DESC LIMIT 5",
    ],
)
def test_what_does_not_grow_passes(sql: str) -> None:
    assert not faults(sql, *[KEY] * sql.count("%s"))


def test_the_engine_is_listened_to_whatever_cursor_it_uses(session: SessionId, owner: Author) -> None:
    post_message(session, owner)

    senders = {each.sender.partition(":")[0] for each in statements.noted.values()}
    assert {"sessions_core/services/runs/request.py", "sessions_core/log/statement.py"} <= senders


def test_what_a_test_asks_does_not_count(session: SessionId) -> None:
    list(Run.objects.filter(session_id=session, worker="only a test asks for that").order_by("error")[:3])

    assert not any('ORDER BY "run"."error"' in sql for sql in statements.noted)


def test_a_list_of_sessions_is_never_read_from_the_newest_of_everybody(owner: Author) -> None:
    sessions.listing(user=owner.user)

    listed = next(each for each in statements.noted.values() if "strpos" in each.sql)
    assert not plans.without_sorts(listed)


def test_a_parent_is_looked_up(session: SessionId, owner: Author) -> None:
    with pytest.raises(BadField):
        post_message(session, owner, parent=new_message(), client_id=new_client_id())

    looked_up = [each for each in statements.noted.values() if "message_id = %s AND kind" in each.sql]
    assert looked_up
    assert not plans.growing(looked_up)
