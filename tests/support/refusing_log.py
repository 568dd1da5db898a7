"""A database that refuses every Event with an error of the test's choice, as PostgreSQL itself would raise it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def refusing_events(sqlstate: str, *, kind: str = "%") -> Iterator[None]:
    """Makes every append of Events of a kind LIKE `kind` fail with that SQLSTATE."""
    with connection.cursor() as cursor:
        cursor.execute(f"""
            CREATE FUNCTION refuse_event() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                RAISE EXCEPTION 'refused by the test' USING ERRCODE = '{sqlstate}';
            END $$;
            CREATE TRIGGER refuse_event BEFORE INSERT ON event
            FOR EACH ROW WHEN (NEW.kind LIKE '{kind}') EXECUTE FUNCTION refuse_event();
        """)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse_event CASCADE")
