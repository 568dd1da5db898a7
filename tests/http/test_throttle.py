"""Who tries too often waits: passwords by name and by address, accounts by address, unknown tokens by address.

Names and addresses are made up for each test: the counters are in the Redis that all of pytest's processes share.
"""

import random
from http import HTTPStatus
from itertools import takewhile
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from chatapp.pages import throttle
from sessions_core.services import tokens
from tests.support.cast import PASSWORD


def stranger(address: str = "") -> Client:
    """Returns a browser at the address, or at one of its own."""
    any_address = f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(256)}"
    return Client(REMOTE_ADDR=address or any_address)


@pytest.fixture
def client() -> Client:
    return stranger()


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user(f"carol-{uuid4()}", password=PASSWORD)


def sign_in(client: Client, name: str, password: str = "wrong") -> int:
    return client.post(reverse("sign_in"), {"username": name, "password": password}).status_code


def test_a_name_with_many_wrong_passwords_waits_also_at_other_addresses(
    client: Client, user: User, settings: Settings
) -> None:
    settings.SIGN_INS_PER_NAME = 2
    tries = [sign_in(client, user.username) for _ in range(3)]
    elsewhere = stranger().post(reverse("sign_in"), {"username": user.username, "password": PASSWORD})

    assert tries == [200, 200, 429]
    assert elsewhere.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert 0 < int(elsewhere.headers["Retry-After"]) <= throttle.WINDOW_S
    assert "Try again in 5 minutes" in elsewhere.text


def test_letters_and_forms_of_a_name_are_counted_as_one(client: Client, user: User, settings: Settings) -> None:
    settings.SIGN_INS_PER_NAME = 2
    wide = user.username.replace("c", "\N{FULLWIDTH LATIN SMALL LETTER C}")

    assert [sign_in(client, name) for name in (user.username, user.username.upper(), wide)] == [200, 200, 429]


def test_an_address_with_many_wrong_passwords_waits_and_others_do_not(
    client: Client, user: User, settings: Settings
) -> None:
    settings.SIGN_INS_PER_ADDRESS = 2

    assert [sign_in(client, f"somebody-{uuid4()}") for _ in range(3)] == [200, 200, 429]
    assert sign_in(client, user.username, PASSWORD) == HTTPStatus.TOO_MANY_REQUESTS
    assert sign_in(stranger(), user.username, PASSWORD) == HTTPStatus.FOUND


def test_an_address_that_waits_cannot_use_up_the_tries_of_a_name(
    client: Client, user: User, settings: Settings
) -> None:
    settings.SIGN_INS_PER_ADDRESS, settings.SIGN_INS_PER_NAME = 1, 3
    for _ in range(10):
        sign_in(client, user.username)

    assert sign_in(stranger(), user.username, PASSWORD) == HTTPStatus.FOUND


def test_right_passwords_are_not_counted(client: Client, user: User, settings: Settings) -> None:
    settings.SIGN_INS_PER_ADDRESS = settings.SIGN_INS_PER_NAME = 2

    for _ in range(6):
        assert sign_in(client, user.username, PASSWORD) == HTTPStatus.FOUND
        client.logout()


def test_the_admin_is_no_way_around(client: Client, user: User, settings: Settings) -> None:
    settings.SIGN_INS_PER_NAME = 1
    wrong = {"username": user.username, "password": "wrong"}
    tries = [client.post(reverse("admin:login"), wrong) for _ in range(2)]

    assert [page.status_code for page in tries] == [200, 429]
    assert "Try again in 5 minutes" in tries[1].text


def test_accounts_are_counted_by_address(client: Client, db: None, settings: Settings) -> None:
    settings.SIGN_UPS_PER_ADDRESS = 2
    pages = []
    for _ in range(3):
        pages.append(client.post(reverse("sign_up"), {"username": f"dora-{uuid4()}", "password": "rivers of light"}))
        client.logout()

    assert [page.status_code for page in pages] == [302, 302, 429]
    assert "Try again in 5 minutes" in pages[2].text
    assert User.objects.count() == 2


def test_an_ipv6_network_is_one_address(user: User, settings: Settings) -> None:
    settings.SIGN_INS_PER_ADDRESS = 1
    network = f"2001:db8:{random.randrange(65536):x}:{random.randrange(65535):x}"

    assert sign_in(stranger(f"{network}::1"), user.username) == HTTPStatus.OK
    assert sign_in(stranger(f"{network}:7::2"), user.username) == HTTPStatus.TOO_MANY_REQUESTS
    assert sign_in(stranger("2001:db8:0:ffff::1"), user.username) == HTTPStatus.OK


def test_each_counter_expires(client: Client, user: User) -> None:
    sign_in(client, user.username)
    tries = throttle.sign_in(client.get(reverse("sign_in")).wsgi_request, user.username)
    never = throttle.Try("sign-in-name", f"nobody-{uuid4()}", 1)
    throttle.give_back(never)

    for each in (*tries, never):
        assert 0 < int(str(throttle._redis().ttl(each.key))) <= throttle.WINDOW_S


def test_without_redis_people_sign_in(client: Client, user: User, settings: Settings) -> None:
    settings.REDIS_URL, settings.SIGN_INS_PER_NAME = "redis://127.0.0.1:1/0", 1
    throttle._redis.cache_clear()
    try:
        assert [sign_in(client, user.username) for _ in range(3)] == [200] * 3
        assert sign_in(client, user.username, PASSWORD) == HTTPStatus.FOUND
    finally:
        throttle._redis.cache_clear()


def test_unknown_tokens_are_bounded_by_address_and_known_ones_are_not(client: Client, user: User) -> None:
    secret = tokens.issue(user)

    def call(client: Client, token: str) -> int:
        return client.get("/api/agents", headers={"Authorization": f"Bearer {token}"}).status_code

    assert {call(client, secret) for _ in range(150)} == {HTTPStatus.OK}
    answers = (call(client, f"ds_{n}") for n in range(5_000))
    refused = list(takewhile(lambda status: status != HTTPStatus.TOO_MANY_REQUESTS, answers))
    assert 100 <= len(refused) < 5_000
    assert call(stranger(), secret) == HTTPStatus.OK
