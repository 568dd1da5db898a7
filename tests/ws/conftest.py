"""The server, and people with sockets."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.ws.person import Tab
from tests.ws.server import serving

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from sessions_core.protocol.author import Author
    from sessions_core.protocol.ids import SessionId


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def connect(server: str, transactional_db: None) -> Iterator[Callable[..., Tab]]:
    """Opens sockets that are closed afterwards: `connect(token=…)`, or with `headers`."""
    with ExitStack() as stack:

        def opened(**how: object) -> Tab:
            return stack.enter_context(Tab(server, **how))  # type: ignore[arg-type]

        yield opened


@pytest.fixture
def as_user(connect: Callable[..., Tab]) -> Callable[..., Tab]:
    """`as_user(alice)`: a socket of hers that has said hello."""
    from sessions_core.services import tokens

    def greeted(user: "User", **how: object) -> Tab:
        tab = connect(token=tokens.issue(user), **how)
        tab.hello()
        return tab

    return greeted


@pytest.fixture
def owner(transactional_db: None, alice: "User") -> "Author":
    from tests.db.acts import author

    return author(alice)


@pytest.fixture
def session(owner: "Author") -> "SessionId":
    """Alice's, with the scripted agent."""
    from sessions_core.services import sessions

    return sessions.create(by=owner, agent="script")
