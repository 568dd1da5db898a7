import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from chatapp.pages import sign_in_links
from tests.support.cast import PASSWORD


def signed_in_as(client: Client) -> str:
    """Returns the username that the home page shows, or an empty text when nobody is signed in."""
    page = client.get(reverse("home"))
    return str(page.context["user"].username) if page.status_code == 200 else ""


def test_a_stranger_is_sent_to_the_sign_in_page_and_back(client: Client, alice: User) -> None:
    sent = client.get(reverse("settings"))
    assert sent.headers["Location"] == "/sign-in/?next=/settings/"

    done = client.post(sent.headers["Location"], {"username": "alice", "password": PASSWORD, "next": "/settings/"})

    assert done.headers["Location"] == "/settings/"
    assert signed_in_as(client) == "alice"


def test_a_wrong_password_is_told_and_nobody_is_signed_in(client: Client, alice: User) -> None:
    page = client.post(reverse("sign_in"), {"username": "alice", "password": "wrong"})

    assert "do not belong together" in page.content.decode()
    assert signed_in_as(client) == ""


def test_another_site_is_no_place_to_go_after_signing_in(client: Client, alice: User) -> None:
    done = client.post(reverse("sign_in"), {"username": "alice", "password": PASSWORD, "next": "https://evil.example/"})

    assert done.headers["Location"] == reverse("home")


def test_signing_out_takes_a_form(client: Client, alice: User) -> None:
    client.force_login(alice)

    assert client.get(reverse("sign_out")).status_code == 405
    assert signed_in_as(client) == "alice"

    client.post(reverse("sign_out"))
    assert signed_in_as(client) == ""


def test_signing_up_makes_an_account_and_signs_in(client: Client, db: None) -> None:
    client.post(reverse("sign_up"), {"username": "carol", "password": "rivers of light"})

    assert signed_in_as(client) == "carol"


@pytest.mark.parametrize(
    ("name", "password", "problem"),
    [
        ("ALICE", "rivers of light", "That name is taken."),
        ("carol", "short", "too short"),
        ("carol", "password", "too common"),
        ("carol of the hills", "carol of the hills", "too similar"),
        ("", "rivers of light", "required"),
        ("nul\x00", "rivers of light", "Null characters"),
    ],
)
def test_an_account_that_cannot_be_made_says_why(
    client: Client, alice: User, name: str, password: str, problem: str
) -> None:
    page = client.post(reverse("sign_up"), {"username": name, "password": password})

    assert page.status_code == 422
    assert problem in page.content.decode()
    assert User.objects.count() == 1


def test_a_closed_house_takes_no_strangers(client: Client, db: None, settings: Settings) -> None:
    settings.SIGN_UP = False

    assert client.post(reverse("sign_up"), {"username": "carol", "password": "rivers of light"}).status_code == 404
    assert "Make an account" not in client.get(reverse("sign_in")).content.decode()
    assert not User.objects.exists()


def test_a_sign_in_link_works_once(client: Client, alice: User) -> None:
    link = sign_in_links.make(alice)

    assert client.post(link).headers["Location"] == reverse("home")
    assert signed_in_as(client) == "alice"

    assert Client().get(link).status_code == 410
    assert Client().post(link).status_code == 410


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_looking_at_a_sign_in_link_spends_nothing_and_signs_nobody_in(client: Client, alice: User, method: str) -> None:
    link, scanner = sign_in_links.make(alice), Client()

    assert scanner.generic(method, link).status_code == (200 if method in {"GET", "HEAD"} else 405)
    assert not scanner.session.keys()

    client.post(link)
    assert signed_in_as(client) == "alice"


def test_the_button_of_a_sign_in_link_signs_in_without_a_script(alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    link = sign_in_links.make(alice)
    page = browser.get(link).content.decode()
    field = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)

    assert "Sign in as Alice" in page
    assert browser.post(link).status_code == 403, "another site's page could sign the reader in"
    assert field
    browser.post(link, {"csrfmiddlewaretoken": field[1]})
    assert signed_in_as(browser) == "alice"


def test_any_sign_in_ends_the_links_before_it(client: Client, alice: User) -> None:
    link = sign_in_links.make(alice)
    Client().post(reverse("sign_in"), {"username": "alice", "password": PASSWORD})

    page = client.get(link)

    assert page.status_code == 410
    assert "for 3 days at most" in page.content.decode()


def test_who_is_signed_in_and_follows_a_used_link_goes_home(client: Client, alice: User) -> None:
    link = sign_in_links.make(alice)
    client.post(link)

    assert client.get(link).headers["Location"] == reverse("home")


@pytest.mark.parametrize("token", ["x", "1.2-3", ".", "zzzzzzzzzzzzzzzzzz.a-b", "Ω.a-b"])
def test_a_made_up_link_opens_nothing(client: Client, alice: User, token: str) -> None:
    assert client.get(reverse("sign_in_link", args=[token])).status_code == 410


def test_a_link_ends_with_its_user(client: Client, alice: User) -> None:
    link = sign_in_links.make(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)

    assert client.get(link).status_code == 410


def test_a_link_ends_in_time(client: Client, alice: User, settings: Settings) -> None:
    settings.PASSWORD_RESET_TIMEOUT = -1  # as if it were made long ago

    assert client.get(sign_in_links.make(alice)).status_code == 410
