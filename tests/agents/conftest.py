"""Alice's Session with the scripted agent, a real dispatcher, and workers on demand."""

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from sessions_core.protocol.author import Author
    from sessions_core.protocol.ids import SessionId
    from tests.agents.worker import Worker


@pytest.fixture
def owner(alice: "User") -> "Author":
    from tests.db.acts import author

    return author(alice)


@pytest.fixture
def session(owner: "Author") -> "SessionId":
    from sessions_core.services import sessions

    return sessions.create(by=owner, agent="script")


@pytest.fixture
def no_messages() -> None:
    """An empty broker: what other tests sent is forgotten."""
    import redis

    redis.Redis.from_url(os.environ["REDIS_URL"]).flushall()


@pytest.fixture
def hire(transactional_db: None, no_messages: None) -> Iterator[Callable[..., "Worker"]]:
    """Starts workers; all are gone before the database is emptied."""
    from tests.agents.worker import Worker

    workers: list[Worker] = []

    def start(**environment: str) -> Worker:
        workers.append(Worker(**environment))
        return workers[-1]

    yield start
    for worker in workers:
        worker.end()
