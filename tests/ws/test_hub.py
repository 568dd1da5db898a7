"""The Hub without a Connection."""

import pytest
from pytest_django import Settings

from sessions_core.hub import Hub
from sessions_core.hub.hub import LINGER_S
from sessions_core.protocol.ids import SessionId


@pytest.fixture
def hub_settings(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}


@pytest.mark.usefixtures("hub_settings")
async def test_a_session_that_somebody_comes_back_to_at_the_last_moment_is_not_forgotten(session: SessionId) -> None:
    hub = Hub(lambda _: None)
    left = await hub.follow(session)
    assert left.empty_since is not None
    left.empty_since -= LINGER_S + 1

    back = await hub.follow(session)
    hub._drop_idle()  # the tail check runs before the returning reader is attached

    assert back.feed is not None
