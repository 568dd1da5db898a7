"""Browsers and scripts, as sentences; and a desk that hands Runs to nobody, so that they stay where a test puts them."""

from collections.abc import Iterator, Sequence

import pytest
from django.test import Client
from pytest_django import Settings

from sessions_core.protocol.ids import RunId
from sessions_core.services import dispatch
from sessions_core.services.dispatch import AgentInfo


class Desk:
    """A Dispatcher without workers: it notes whom it was to wake."""

    woken: Sequence[tuple[RunId, str]] = ()

    def wake(self, run: RunId, agent: str) -> None:
        type(self).woken = (*self.woken, (run, agent))

    def agents(self) -> Sequence[AgentInfo]:
        return (
            AgentInfo(name="guide", title="Guide", description="Answers from the documentation."),
            AgentInfo(name="script", title="Script", description="Says what it is told to."),
        )

    def default(self) -> str:
        return "guide"


@pytest.fixture(autouse=True)
def desk(settings: Settings) -> Iterator[type[Desk]]:
    """What stands where Celery would."""
    Desk.woken = ()
    settings.SERVESTATIC_USE_FINDERS = False  # each Client would look through all static files: 50 ms a test
    settings.RUN_DISPATCHER = "tests.http.conftest.Desk"
    dispatch.dispatcher.cache_clear()
    yield Desk
    dispatch.dispatcher.cache_clear()


@pytest.fixture
def staff(db: None, client: Client) -> Client:
    """The browser of Ruth, who may do everything in the admin."""
    from django.contrib.auth.models import User  # this file is read before Django is set up

    client.force_login(User.objects.create_superuser("ruth", first_name="Ruth"))
    return client
