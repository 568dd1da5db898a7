from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from sessions_core.api import authentication
from tests.http.clients import ApiClient, ApiResponse, create_session
from tests.support.cast import PASSWORD


@pytest.fixture
def signed_in(alice: User) -> Client:
    """Returns Alice's browser, signed in, with a CSRF cookie."""
    client = Client(enforce_csrf_checks=True)
    assert client.login(username="alice", password=PASSWORD)
    client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    return client


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nobody_is_told_to_sign_in(method: str) -> None:
    refused = ApiClient(None).call(method, "sessions", {})

    assert (refused.status, refused.code) == (401, "not_signed_in")
    assert refused.headers["WWW-Authenticate"] == "Bearer"


def test_a_cookie_reads(signed_in: Client) -> None:
    assert signed_in.get("/api/sessions").status_code == 200


def test_a_cookie_writes_with_the_csrf_token(signed_in: Client) -> None:
    made = signed_in.post("/api/sessions", b"{}", content_type="application/json", headers={"X-CSRFToken": "a" * 32})

    assert made.status_code == 201


@pytest.mark.parametrize("headers", [{}, {"X-CSRFToken": "b" * 32}, {"X-CSRFToken": "short"}])
def test_a_cookie_without_the_csrf_token_writes_nothing(signed_in: Client, headers: dict[str, str]) -> None:
    refused = ApiResponse(signed_in.post("/api/sessions", b"{}", content_type="application/json", headers=headers))

    assert (refused.status, refused.code) == (403, "csrf_failed")
    assert signed_in.get("/api/sessions").json()["sessions"] == []


def test_another_site_writes_nothing(signed_in: Client) -> None:
    headers = {"X-CSRFToken": "a" * 32, "Origin": "https://evil.example"}

    refused = ApiResponse(signed_in.post("/api/sessions", b"{}", content_type="application/json", headers=headers))

    assert refused.code == "csrf_failed"


def test_a_wrong_token_is_not_covered_by_a_right_cookie(signed_in: Client) -> None:
    refused = ApiResponse(signed_in.get("/api/sessions", headers={"Authorization": "Bearer ds_wrong"}))

    assert (refused.status, refused.code) == (401, "not_signed_in")


def test_a_proxys_own_authorization_leaves_the_cookie_in_force(signed_in: Client) -> None:
    assert signed_in.get("/api/sessions", headers={"Authorization": "Basic YTpi"}).status_code == 200


def test_signing_out_ends_it(signed_in: Client) -> None:
    signed_in.logout()

    assert signed_in.get("/api/sessions").status_code == 401


def test_a_token_needs_no_csrf_token(alice: User) -> None:
    assert ApiClient(alice).post("sessions", {}).status == 201


def test_a_read_token_reads_and_writes_nothing(alice: User) -> None:
    session = create_session(alice, title="kept")
    script = ApiClient(alice, can_write=False)

    refused = [
        script.post("sessions", {}),
        script.patch(f"sessions/{session}", {"title": "new"}),
        script.delete(f"sessions/{session}"),
        script.post(f"sessions/{session}/messages", {"text": "hello"}),
    ]

    assert {(answer.status, answer.code) for answer in refused} == {(403, "read_only")}
    assert script.get(f"sessions/{session}").body["title"] == "kept"


@pytest.fixture
def slow_api(settings: Settings) -> Iterator[int]:
    """Limits the API, and returns how many requests it accepts at once."""
    settings.API_RATE = 1
    authentication._buckets.cache_clear()
    yield 4
    authentication._buckets.cache_clear()


def test_too_many_requests_are_told_when_to_come_again(slow_api: int, alice: User, bob: User) -> None:
    script = ApiClient(alice)
    answers = [script.get("agents") for _ in range(slow_api + 1)]

    assert [answer.status for answer in answers[:-1]] == [200] * slow_api
    assert (answers[-1].status, answers[-1].code) == (429, "rate_limited")
    assert answers[-1].body["error"]["retry"] is True
    assert answers[-1].headers["Retry-After"] == "1"
    assert ApiClient(bob).get("agents").status == 200
