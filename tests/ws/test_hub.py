"""The Hub with a log that a test holds in its hands."""

from collections.abc import Collection, Mapping
from uuid import UUID

import pytest
from pytest_django import Settings

from sessions_core.hub import Hub
from sessions_core.hub.hub import LINGER_S
from sessions_core.log import Page, Position
from sessions_core.machines.feed import Span
from sessions_core.protocol.ids import SessionId

SESSION = SessionId(UUID(int=1))
EMPTY = Page(span=Span(session=SESSION, epoch=1, start=0, end=0, body=b""), head=0, events=[])


class EmptyLog:
    async def read(self, session: SessionId, *, after: int) -> Page:  # noqa: ARG002
        return EMPTY

    async def open_last(self, session: SessionId, *, messages: int) -> Page:  # noqa: ARG002
        return EMPTY

    async def heads(self, sessions: Collection[SessionId]) -> Mapping[SessionId, Position]:
        return {session: Position(epoch=1, head=0) for session in sessions}


@pytest.fixture
def hub_settings(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}


@pytest.mark.usefixtures("hub_settings")
async def test_a_session_that_somebody_comes_back_to_at_the_last_moment_is_not_forgotten() -> None:
    hub = Hub(EmptyLog(), lambda _: None)
    left = await hub.follow(SESSION)
    assert left.empty_since is not None
    left.empty_since -= LINGER_S + 1

    back = await hub.follow(SESSION)
    hub._forget_idle()  # the tail check comes before who came back is attached

    assert back.feed is not None
