"""What an exception becomes for people and programs: repeated, corrected, or reported."""

from typing import TYPE_CHECKING

import psycopg
import pytest
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, ProgrammingError
from psycopg_pool import PoolTimeout

from sessions_core.models import Session
from sessions_core.protocol.errors import BadField, Broken, Busy, NotFound, Refusal, RunActive
from sessions_core.services import sessions
from sessions_core.services.failures import refusal_of
from tests.db.acts import author, post_message, read_events
from tests.support.refusing_log import refusing_events

if TYPE_CHECKING:
    from django.contrib.auth.models import User

OUTAGES = ["08006", "25006", "40001", "40P01", "53300", "53100", "55P03", "57014", "57P01", "57P03", "58030"]
UNFIT = ["22001", "22P05", "54000", "54001"]
BUGS = ["23505", "23503", "42P01", "42703", "25P02", "XX000", "0A000"]


@pytest.mark.parametrize(
    ("states", "expected"),
    [(OUTAGES, Busy), (UNFIT, BadField), (BUGS, Broken)],
    ids=["outage", "unfit", "bug"],
)
def test_only_an_outage_of_the_database_is_worth_repeating(
    states: list[str], expected: type[Refusal], alice: "User"
) -> None:
    session = sessions.create(by=author(alice))

    for state in states:
        with refusing_events(state), pytest.raises(Exception, match="refused by the test") as caught:
            post_message(session, author(alice))
        assert (state, type(refusal_of(caught.value))) == (state, expected)

    assert (Busy.retry, BadField.retry, Broken.retry) == (True, False, False)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OperationalError("the connection is closed"), Busy),
        (InterfaceError("connection already closed"), Busy),
        (PoolTimeout("no connection in 10 s"), Busy),
        (psycopg.OperationalError("the connection is lost"), Busy),
        (DataError("NUL"), BadField),
        (IntegrityError("twice"), Broken),
        (ProgrammingError("no such table"), Broken),
        (KeyError("id"), Broken),
        (Session.DoesNotExist(), NotFound),
        (RunActive(), RunActive),
    ],
)
def test_an_error_without_a_code_is_told_by_its_class(error: Exception, expected: type[Refusal]) -> None:
    assert type(refusal_of(error)) is expected


def test_a_bug_leaves_its_traceback_and_an_outage_one_line(caplog: pytest.LogCaptureFixture) -> None:
    refusal_of(KeyError("id"))
    refusal_of(OperationalError("away"))

    assert [(record.levelname, record.exc_info is not None) for record in caplog.records] == [
        ("ERROR", True),
        ("ERROR", False),
    ]


def test_a_person_with_the_longest_names_can_post(alice: "User") -> None:
    alice.first_name, alice.last_name = "A" * 150, "B" * 150
    session = sessions.create(by=author(alice))

    post_message(session, author(alice))

    names = {event.actor.name for event in read_events(session)}
    assert names == {"A" * 149 + "…"}
