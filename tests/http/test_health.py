from collections.abc import Iterator

import pytest
from django.db import Error
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django import Settings

from sessions_core.live import draining
from sessions_core.process import health


@pytest.fixture
def anyone() -> Iterator[Client]:
    """Returns a browser that nobody has signed in with, and resets what the process remembers of its health."""
    health._redis.cache_clear()
    health._MIGRATED.clear()
    yield Client()
    draining._DRAINING.clear()


def test_a_process_that_runs_is_alive(anyone: Client) -> None:
    answer = anyone.get("/health/live")

    assert (answer.status_code, answer.json()) == (200, {"live": True})


@pytest.mark.django_db
def test_all_in_order_is_ready(anyone: Client) -> None:
    answer = anyone.get("/health/ready")

    assert (answer.status_code, answer.json()) == (200, {"ready": True})


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_head_will_do(anyone: Client, path: str) -> None:
    assert anyone.head(path).status_code == 200
    assert anyone.post(path).status_code == 405


@pytest.mark.django_db
def test_a_draining_process_wants_no_new_work_but_lives(anyone: Client) -> None:
    draining.begin()

    answer = anyone.get("/health/ready")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.json()["error"]["message"] == "Not ready: this process is about to stop."
    assert anyone.get("/health/live").status_code == 200


@pytest.mark.django_db
def test_without_redis_it_is_not_ready_and_says_so(anyone: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    answer = anyone.get("/health/ready")

    assert answer.status_code == 503
    assert answer.json()["error"] == {"code": "busy", "message": "Not ready: Redis does not answer.", "retry": True}


@pytest.mark.django_db
def test_without_the_database_it_is_not_ready(anyone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise Error("gone")

    with monkeypatch.context() as patched:
        patched.setattr("django.db.backends.utils.CursorWrapper.execute", unreachable)
        answer = anyone.get("/health/ready")

    assert answer.status_code == 503
    assert answer.json()["error"]["message"] == "Not ready: the database does not answer."


@pytest.mark.django_db(transaction=True)
def test_a_missing_migration_is_named(anyone: Client) -> None:
    last = MigrationRecorder.Migration.objects.filter(app="sessions_core").latest("id")
    last.delete()
    try:
        answer = anyone.get("/health/ready")
    finally:
        MigrationRecorder.Migration.objects.create(app=last.app, name=last.name)

    assert answer.status_code == 503
    assert answer.json()["error"]["message"] == "Not ready: migrations are missing."
