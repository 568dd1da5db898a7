"""PostgreSQL and Valkey of the tests answer, through Django and through the channel layer."""

import pytest
from django.contrib.auth.models import User
from django.db import connection


@pytest.mark.django_db
def test_the_database_answers(alice: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT username FROM auth_user")
        assert cursor.fetchall() == [("alice",)]
