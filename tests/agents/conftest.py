"""Alice's Session with the scripted agent, a Runner in this process, and real workers on demand."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from pytest_django import Settings

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from sessions_core.protocol.author import Author
    from sessions_core.protocol.ids import SessionId
    from tests.agents.assistant import Assistant
    from tests.agents.harness import Harness
    from tests.agents.tooled import Tooled
    from tests.agents.worker import WorkerProcess
    from tests.support.fake_provider import Provider


@pytest.fixture
def owner(alice: "User") -> "Author":
    from tests.db.acts import author

    return author(alice)


@pytest.fixture
def session(owner: "Author") -> "SessionId":
    from sessions_core.services import sessions

    return sessions.create(by=owner, agent="script")


@pytest.fixture(autouse=True)
def no_agent_of_another_test() -> Iterator[None]:
    """Forgets the agent of the test: of two with one name, neither is used."""
    yield
    from agents.sdk import registry
    from tests.agents.harness import NAME

    registry._registered.pop(NAME, None)


@pytest.fixture
def harness(session: "SessionId", owner: "Author") -> "Harness":
    from tests.agents.harness import Harness

    return Harness(session, owner)


@pytest.fixture
async def provider(settings: Settings) -> AsyncIterator["Provider"]:
    from tests.agents.assistant import connected

    async with connected(settings) as provider:
        yield provider


@pytest.fixture
def assistant(session: "SessionId", owner: "Author", provider: "Provider") -> "Assistant":
    from tests.agents.assistant import Assistant

    return Assistant(session, owner)


@pytest.fixture
def empty_broker() -> None:
    """Forgets what other tests sent."""
    import redis

    redis.Redis.from_url(os.environ["REDIS_URL"]).flushall()


@pytest.fixture
def start_worker(transactional_db: None, empty_broker: None) -> Iterator[Callable[..., "WorkerProcess"]]:
    """Starts real workers, with these environment variables; kills them before the database is emptied."""
    from tests.agents.worker import WorkerProcess

    workers: list[WorkerProcess] = []

    def start(**environment: str) -> WorkerProcess:
        workers.append(WorkerProcess(**environment))
        return workers[-1]

    yield start
    for worker in workers:
        worker.end()


@pytest.fixture
def tooled(session: "SessionId", owner: "Author", provider: "Provider") -> "Tooled":
    from tests.agents.tooled import Tooled

    return Tooled(session, owner)
