"""While the database is away, pages answer 503 with a page that loads itself again, and lose nothing that was typed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from tests.http.clients import create_session


@contextmanager
def outage(*, only: str = "") -> Iterator[None]:
    """Lets each statement that contains `only` fail as when the connection is lost."""

    def fail(execute: Callable[..., object], sql: str, params: object, many: bool, context: object) -> object:  # noqa: FBT001
        if only not in sql:
            return execute(sql, params, many, context)
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(fail):
        yield


@pytest.fixture
def phone(alice: User) -> Client:
    """Returns Alice's browser, which gets pages of errors instead of exceptions."""
    phone = Client(raise_request_exception=False)
    phone.force_login(alice)
    return phone


@pytest.mark.parametrize("page", ["home", "settings", "sessions", "session"])
def test_a_page_says_so_and_loads_itself_again(phone: Client, alice: User, page: str) -> None:
    address = reverse(page, args=[create_session(alice)] if page == "session" else [])

    with outage():
        shown = phone.get(address)

    assert shown.status_code == 503
    assert int(shown.headers["Retry-After"]) > 0
    assert shown.headers["Cache-Control"] == "no-store"
    assert 'http-equiv="refresh"' in shown.text
    assert "The database cannot be reached" in shown.text


def test_a_message_that_cannot_be_posted_is_kept_to_be_sent_again(phone: Client, alice: User) -> None:
    session, client_id = create_session(alice), str(uuid4())

    with outage(only="event"):
        shown = phone.post(reverse("post", args=[session]), {"text": "Do not lose me.", "client_id": client_id})

    assert shown.status_code == 503
    assert "Do not lose me." in shown.text
    assert client_id in shown.text


def test_a_script_of_a_page_gets_json(phone: Client) -> None:
    with outage():
        answer = phone.post(reverse("begin"), {"text": "hello"}, headers={"Accept": "application/json"})

    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "busy"


def test_what_fails_outside_of_a_view_is_no_different(client: Client, alice: User) -> None:
    client.raise_request_exception = False
    with outage(only='INTO "django_session"'):  # it is saved when the view has returned
        shown = client.post(reverse("sign_up"), {"username": "carol", "password": "rivers of light"})

    assert shown.status_code == 503
    assert "rivers of light" not in shown.text


def test_a_bug_is_still_a_500(phone: Client) -> None:
    def break_(execute: object, *_: object) -> NoReturn:
        raise RuntimeError(execute)

    with connection.execute_wrapper(break_):
        shown = phone.get(reverse("home"))

    assert shown.status_code == 500
    assert "Something broke" in shown.text
