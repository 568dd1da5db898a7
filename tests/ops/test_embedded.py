"""The PostgreSQL of the tests answers through Django."""

import pytest
from django.contrib.auth.models import User
from django.db import connection


@pytest.mark.django_db
def test_the_database_answers(alice: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT username FROM auth_user")
        assert cursor.fetchall() == [("alice",)]
