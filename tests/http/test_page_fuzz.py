"""Every request to a page, however strange, gets an answer that is not our fault. A new page is played without an edit here."""

from typing import Final

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.http.clients import create_session
from tests.http.strange_requests import HEADERS, METHODS, addresses, bodies, fields, routes
from tests.support.random_input import many

ROUTES: Final = dict(routes())
OURS: Final = [route for route in ROUTES if not route.startswith("admin/")]
ADMINS: Final = [route for route in ROUTES if route.startswith("admin/")]


def played(examples: int) -> settings:
    """Returns settings for so many examples. One fixture serves all of them, which is intended."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=many(examples), deadline=None, suppress_health_check=checks)


def answer(client: Client, route: str, by: User, data: st.DataObject) -> int:
    """Sends a random request to the route, and returns the status."""
    view = ROUTES[route]
    address, query = data.draw(addresses(route, create_session(by))), data.draw(fields(view))
    body, kind = data.draw(bodies(view))
    method, headers = data.draw(METHODS), data.draw(HEADERS)
    return client.generic(method, f"{address}?{query}", body, content_type=kind, headers=headers).status_code


def test_the_pages_are_found() -> None:
    assert {"", "s/<uuid:session>/", "sessions/", "sign-in/link/<str:token>/", "settings/"} <= set(OURS)
    assert len(ADMINS) > 20


@pytest.mark.parametrize("route", OURS)
@played(20)
@given(data=st.data())
def test_any_request_of_somebody_signed_in_is_answered(
    client: Client, alice: User, route: str, data: st.DataObject
) -> None:
    client.force_login(alice)

    assert answer(client, route, alice, data) < 500


@played(60)
@given(route=st.sampled_from(OURS), data=st.data())
def test_any_request_of_a_stranger_is_answered(client: Client, alice: User, route: str, data: st.DataObject) -> None:
    client.cookies.clear()

    assert answer(client, route, alice, data) < 500


@played(60)
@given(route=st.sampled_from(ADMINS), data=st.data())
def test_any_request_to_the_admin_is_answered(staff: Client, alice: User, route: str, data: st.DataObject) -> None:
    staff.force_login(User.objects.get(username="ruth"))

    assert answer(staff, route, alice, data) < 500
