"""How this process is connected to its database."""

import pytest
from django.db import connection


@pytest.mark.django_db
def test_a_database_that_vanishes_is_given_up_within_seconds() -> None:
    connection.ensure_connection()

    given = connection.connection.info.get_parameters()

    assert (given["connect_timeout"], given["tcp_user_timeout"], given["keepalives_idle"]) == ("5", "10000", "5")
