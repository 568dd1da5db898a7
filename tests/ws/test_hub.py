"""The Hub without a Connection."""

import pytest
from pytest_django import Settings

from sessions_core.hub import FollowedSession, Hub
from sessions_core.hub.hub import LINGER_S
from sessions_core.machines.recent_frames import FrameMemory
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


@pytest.mark.parametrize("body", [b"", None], ids=["with its Events", "without"])
def test_a_hint_that_comes_before_the_position_is_not_forgotten(session: SessionId, body: bytes | None) -> None:
    followed = FollowedSession(session, FrameMemory.of(2**20))
    followed.take_hint({"epoch": 1, "start": 7, "end": 9, "body": body})

    followed.begin(1, 5)

    assert followed.feed is not None
    assert followed.feed.head == 9
