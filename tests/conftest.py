"""What every test can rely on: PostgreSQL and Valkey of this pytest process's own, and the cast.

Without DATABASE_URL and REDIS_URL pytest starts both in a folder of its own, so several people can run pytest at once;
the workers of xdist inherit the addresses from the process that started them. All of it happens while this file is
imported, because Django's settings read the addresses.
"""

import atexit
import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import django.conf
import pytest
from pytest_django import DjangoDbBlocker

from chatapp.launcher.embedded.launch import running
from chatapp.launcher.embedded.postgres import Postgres
from chatapp.launcher.embedded.valkey import Valkey
from tests.support import leftovers, random_input, runserver

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# Set even when empty, so that a developer's `.env` does not decide what a test sees.
ENVIRONMENT: Final = {
    "DJANGO_SETTINGS_MODULE": "chatapp.settings",
    "SECRET_KEY": "for tests only, and long enough for nobody to complain about it",
    "DEBUG": "0",
    "SCRIPT_AGENT": "1",
    "SIGN_UP": "1",
    "HOST": "",
    "PORT": "",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1],testserver",
    "CHAT_MODEL": "",
    "CHAT_MODEL_URL": "",
    "CHAT_MODEL_KEY": "",
    "LOCAL_LLM": "",
    "LEASE_S": os.environ.get("LEASE_S", "2"),  # so that no test waits long for another worker
    "WAITING_RUNS": "1000",  # tests make long conversations without a worker
}


def _start_services() -> None:
    """Starts what no URL was given for, and stops it when this process ends, however pytest ends."""
    leftovers.sweep()
    stack = ExitStack()
    atexit.register(stack.close)
    folder = stack.enter_context(leftovers.open_folder())
    os.environ["VAR_DIR"] = str(folder)
    for variable, service in (
        ("DATABASE_URL", Postgres(folder, durable=False)),
        ("REDIS_URL", Valkey(folder, durable=False)),
    ):
        if not os.environ.get(variable):
            os.environ[variable] = stack.enter_context(running(service, folder / f"{service.name}.log"))


if django.conf.settings.configured and "PYTEST_XDIST_WORKER" not in os.environ:
    raise pytest.UsageError(
        "DJANGO_SETTINGS_MODULE is set, so Django read its settings too early. Unset it and try again."
    )
os.environ.update(ENVIRONMENT)
random_input.register()
if "PYTEST_XDIST_WORKER" not in os.environ:
    _start_services()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        runserver.OPTION,
        choices=["uvicorn", runserver.DAPHNE],
        default="uvicorn",
        help="what serves the sockets and pages",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On daphne only the tests with its mark are played."""
    if config.getoption(runserver.OPTION) == runserver.DAPHNE:
        others = [item for item in items if item.get_closest_marker(runserver.DAPHNE) is None]
        items[:] = [item for item in items if item not in others]
        config.hook.pytest_deselected(items=others)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Quick passwords, and static files as they lie in their folders: `collectstatic` is `up`'s part."""
    from django.conf import settings

    config.addinivalue_line("markers", f"{runserver.DAPHNE}: is played on daphne, too, by `pytest --server=daphne`")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.SERVESTATIC_USE_FINDERS = True
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Watches the database. At the end, fails for each statement of the engine that reads more the more rows there are."""
    from tests.support import plans, run_moves, statements

    with django_db_blocker.unblock():
        run_moves.watch()
    statements.watch()
    yield
    with django_db_blocker.unblock():
        found = plans.growing(statements.noted.values())
    assert not found, "\n".join(found)


@pytest.fixture
def alice(db: None) -> "User":
    from tests.support.cast import person

    return person("alice")


@pytest.fixture
def bob(db: None) -> "User":
    from tests.support.cast import person

    return person("bob")


@pytest.fixture
def mallory(db: None) -> "User":
    from tests.support.cast import person

    return person("mallory")
