"""Two deployments on one host share a browser's cookies, so each has names of its own."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.http.clients import create_session
from tests.support.cast import PASSWORD

NAMES = ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "LANGUAGE_COOKIE_NAME")
PRINT = f"import json; from chatapp import settings; print(json.dumps([getattr(settings, name) for name in {NAMES}]))"


def names(key: str, **environment: str) -> list[str]:
    """Returns the names of the cookies of a deployment with that SECRET_KEY."""
    given = {**os.environ, "SECRET_KEY": f"{key}, and long enough for nobody to complain", **environment}
    found: list[str] = json.loads(
        subprocess.run([sys.executable, "-c", PRINT], env=given, capture_output=True, check=True).stdout
    )
    return found


def test_deployments_have_different_names_and_the_processes_of_one_the_same() -> None:
    one, same, other = names("a"), names("a", PORT="8001"), names("b")

    assert one == same
    assert not {*one} & {*other}
    assert not {*one} & {"sessionid", "csrftoken", "django_language", "messages"}


def test_over_https_no_subdomain_can_set_them() -> None:
    assert [name.startswith("__Host-") for name in names("a", HTTPS="1")] == [True, True, False]


def test_no_cookie_but_those_two_is_set_by_the_server(client: Client, alice: User) -> None:
    client.post(reverse("sign_in"), {"username": "alice", "password": PASSWORD})
    client.get(reverse("home"))
    client.post(reverse("rename", args=[create_session(alice)]), {"title": ""})  # it leaves a message
    client.get(reverse("settings"))

    assert set(client.cookies) == {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}


@pytest.mark.parametrize("page", ["home", "settings"])
def test_each_page_names_the_cookie_of_its_csrf_token(reader: Client, page: str) -> None:
    assert (
        f'<meta name="csrf-cookie" content="{settings.CSRF_COOKIE_NAME}">' in reader.get(reverse(page)).content.decode()
    )
