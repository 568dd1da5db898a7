"""A dispatcher without workers, so that Runs stay in the state that a test gives them; and signed-in browsers."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from pytest_django import Settings

from sessions_core.protocol.ids import RunId, SessionId
from sessions_core.services import dispatch
from sessions_core.services.dispatch import AgentInfo

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class IdleDispatcher:
    """A Dispatcher without workers. It records the wakes."""

    woken: Sequence[tuple[RunId, str]] = ()

    def wake(self, session: SessionId, run: RunId, agent: str) -> None:  # noqa: ARG002
        type(self).woken = (*self.woken, (run, agent))

    def queue(self, agent: str) -> str:  # noqa: ARG002
        return "agents"

    def queued(self, queue: str) -> int | None:  # noqa: ARG002
        return 0

    def agents(self) -> Sequence[AgentInfo]:
        return (
            AgentInfo(name="guide", title="Guide", description="Answers from the documentation."),
            AgentInfo(name="script", title="Script", description="Says what it is told to."),
        )

    def version(self, agent: str) -> int | None:  # noqa: ARG002
        return 1

    def default(self) -> str:
        return "guide"


@pytest.fixture(autouse=True)
def dispatcher(settings: Settings) -> Iterator[type[IdleDispatcher]]:
    """Takes the place of Celery in every test."""
    IdleDispatcher.woken = ()
    settings.SERVESTATIC_USE_FINDERS = False  # every Client would search all static files: 50 ms a test
    settings.RUN_DISPATCHER = "tests.http.conftest.IdleDispatcher"
    dispatch.dispatcher.cache_clear()
    yield IdleDispatcher
    dispatch.dispatcher.cache_clear()


@pytest.fixture
def reader(client: Client, alice: "User") -> Client:
    """Returns Alice's browser, signed in."""
    client.force_login(alice)
    return client


@pytest.fixture
def staff(db: None, client: Client) -> Client:
    """Returns the browser of Ruth, a superuser, signed in."""
    from django.contrib.auth.models import User  # pytest imports this file before it sets up Django

    client.force_login(User.objects.create_superuser("ruth", first_name="Ruth"))
    return client
