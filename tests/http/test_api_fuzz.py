"""Every request, however strange, gets one of the documented responses."""

import json
from typing import Final

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from sessions_core.api import authentication
from tests.http.clients import ApiClient, create_session
from tests.http.test_api_refusals import ROUTES, address_of
from tests.support.random_input import many

DOCUMENTED: Final = {200, 201, 204, 401, 403, 404, 405, 409, 413, 422}
# One fixture serves all examples of a test, which is intended.
FUZZED: Final = settings(
    max_examples=many(100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NAMES: Final = st.sampled_from(["title", "agent", "policy", "archived", "text", "parts", "parent", "type", "value"])
TEXT: Final = st.text(st.characters(exclude_categories=()), max_size=20)  # with NUL and lone surrogates
LEAVES: Final = (
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.sampled_from(["queue", "text", "guide"])
)
VALUES: Final = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | TEXT, inner, max_size=4), max_leaves=8
)
QUERY: Final = st.dictionaries(
    st.sampled_from(["search", "before", "after", "limit", "last", "epoch"]),
    st.text(max_size=20) | st.integers().map(str),
    max_size=3,
)


@pytest.fixture
def script(alice: User, settings: Settings) -> ApiClient:
    settings.API_RATE = 10_000
    authentication._buckets.cache_clear()
    return ApiClient(alice)


@FUZZED
@given(route=st.sampled_from([route for route in ROUTES if route[0] in {"POST", "PATCH"}]), body=VALUES)
def test_any_json_is_answered(script: ApiClient, alice: User, route: tuple[str, str], body: object) -> None:
    session = create_session(alice)

    answer = script.call(route[0], address_of(route[1], session), raw=json.dumps(body).encode())

    assert answer.status in DOCUMENTED
    assert answer.status < 300 or answer.code


@FUZZED
@given(route=st.sampled_from(ROUTES), raw=st.binary(min_size=1, max_size=60))
def test_any_bytes_are_answered(script: ApiClient, alice: User, route: tuple[str, str], raw: bytes) -> None:
    session = create_session(alice)

    answer = script.call(route[0], address_of(route[1], session), raw=raw)

    assert answer.status in DOCUMENTED
    assert answer.status < 300 or answer.code


@FUZZED
@given(route=st.sampled_from([route for route in ROUTES if route[0] == "GET"]), query=QUERY)
def test_any_query_is_answered(script: ApiClient, alice: User, route: tuple[str, str], query: dict[str, str]) -> None:
    session = create_session(alice)

    answer = script.get_with_query(address_of(route[1], session), query)

    assert answer.status in DOCUMENTED
    assert answer.status < 300 or answer.code
