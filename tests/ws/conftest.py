"""The server, and clients with a socket."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.support import runserver
from tests.ws.server import daphne, serving
from tests.ws.tab import Tab

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from sessions_core.protocol.author import Author
    from sessions_core.protocol.ids import SessionId


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, django_db_setup: None) -> Iterator[str]:
    """The address of the server: uvicorn in this process, or daphne in one of its own, on the database of the tests."""
    on_daphne = request.config.getoption(runserver.OPTION) == runserver.DAPHNE
    with daphne() if on_daphne else serving() as address:
        yield address


@pytest.fixture
def connect(server: str, transactional_db: None) -> Iterator[Callable[..., Tab]]:
    """Opens sockets, and closes them after the test: `connect(token=…)`, or with `headers`."""
    with ExitStack() as stack:

        def connect(**options: object) -> Tab:
            return stack.enter_context(Tab(server, **options))  # type: ignore[arg-type]

        yield connect


@pytest.fixture
def as_user(connect: Callable[..., Tab]) -> Callable[..., Tab]:
    """`as_user(alice)` opens a socket of hers that has said hello."""
    from sessions_core.services import tokens

    def as_user(user: "User", **options: object) -> Tab:
        tab = connect(token=tokens.issue(user), **options)
        tab.hello()
        return tab

    return as_user


@pytest.fixture
def owner(transactional_db: None, alice: "User") -> "Author":
    from tests.db.acts import author

    return author(alice)


@pytest.fixture
def session(owner: "Author") -> "SessionId":
    """A Session of Alice's with the scripted agent."""
    from sessions_core.services import sessions

    return sessions.create(by=owner, agent="script")
