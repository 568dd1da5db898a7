"""A Session of Alice's. No worker runs: the tests claim Runs themselves."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from pytest_django import Settings

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from sessions_core.protocol.author import Author
    from sessions_core.protocol.ids import SessionId


@pytest.fixture(autouse=True)
def _quiet_dispatcher(settings: Settings) -> Iterator[None]:
    from sessions_core.services.dispatch import dispatcher

    settings.RUN_DISPATCHER = "tests.support.quiet.QuietDispatcher"
    dispatcher.cache_clear()
    yield
    dispatcher.cache_clear()


@pytest.fixture
def owner(alice: "User") -> "Author":
    from tests.db.acts import author

    return author(alice)


@pytest.fixture
def session(owner: "Author") -> "SessionId":
    from sessions_core.services import sessions

    return sessions.create(by=owner, agent="script")
