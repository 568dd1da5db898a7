"""A request keeps its database connection no longer than until its response is made."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse


@pytest.mark.django_db(transaction=True)
def test_the_connection_is_given_back_before_the_response_is_sent(alice: User) -> None:
    client = Client()
    client.force_login(alice)

    page = client.get(reverse("settings"))  # the test's client closes nothing itself

    assert page.status_code == 200
    assert connection.connection is None
