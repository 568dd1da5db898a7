"""The database's connections are shared out: what must go on has threads and connections that nothing else takes."""

import asyncio
import threading

import pytest
from django.db import connection
from pytest_django import Settings

from sessions_core import bridge


def backend_pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
async def test_reserved_calls_go_on_while_all_other_threads_hold_connections(settings: Settings) -> None:
    free = threading.Event()

    def hold() -> None:
        backend_pid()
        free.wait()

    busy = [asyncio.create_task(bridge.run(hold)) for _ in range(4 * settings.BRIDGE_THREADS)]
    try:
        assert await bridge.run_reserved(backend_pid) > 0
    finally:
        free.set()
        await asyncio.gather(*busy)


def test_the_shares_are_the_pool(settings: Settings) -> None:
    shares = (
        settings.RESERVED_THREADS,
        settings.HEALTH_THREADS,
        settings.PASSWORDS_AT_WORK,
        settings.VIEWS_AT_WORK,
        settings.REQUESTS_AT_WORK,
        settings.BRIDGE_THREADS,
    )

    assert sum(shares) == settings.DATABASES["default"]["OPTIONS"]["pool"]["max_size"]
    assert min(shares) > 0
