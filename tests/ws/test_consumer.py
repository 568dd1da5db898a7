"""The consumer by Channels' own test client, without a server."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from channels.testing import WebsocketCommunicator
from pytest_django import Settings

from sessions_core import bridge
from sessions_core.consumers import SessionsConsumer
from sessions_core.protocol.frames import SUBPROTOCOL

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@pytest.fixture
def token(transactional_db: None, alice: "User") -> str:
    from sessions_core.services import tokens

    return tokens.issue(alice)


@pytest.fixture
async def communicator(token: str) -> AsyncIterator[WebsocketCommunicator]:
    headers = [(b"authorization", f"Bearer {token}".encode())]
    opened = WebsocketCommunicator(SessionsConsumer.as_asgi(), "/ws/", headers=headers, subprotocols=[SUBPROTOCOL])
    yield opened
    await opened.disconnect()


async def hello(communicator: WebsocketCommunicator) -> dict[str, Any]:
    assert await communicator.connect(timeout=5) == (True, SUBPROTOCOL)
    await communicator.send_json_to({"type": "hello", "device": str(uuid4()), "label": "laptop"})
    frame: dict[str, Any] = json.loads(await communicator.receive_from(timeout=5))
    return frame


async def test_channels_own_test_client_can_talk_to_it(communicator: WebsocketCommunicator) -> None:
    assert (await hello(communicator))["name"] == "Alice"

    await communicator.send_json_to({"type": "ping", "n": 1})
    assert await communicator.receive_json_from(timeout=5) == {"type": "pong", "heads": {}, "n": 1}


async def test_a_socket_opens_while_valkey_is_away(settings: Settings, communicator: WebsocketCommunicator) -> None:
    layer = {"BACKEND": "sessions_core.hints.layer.PubSubLayer", "CONFIG": {"hosts": ["redis://127.0.0.1:1"]}}
    settings.CHANNEL_LAYERS = {"default": layer}

    assert (await hello(communicator))["type"] == "welcome"


@pytest.mark.django_db(transaction=True)
async def test_a_stranger_is_accepted_and_closed() -> None:
    stranger = WebsocketCommunicator(SessionsConsumer.as_asgi(), "/ws/")

    assert await stranger.connect(timeout=5) == (True, None)
    assert await stranger.receive_output(timeout=5) == {
        "type": "websocket.close",
        "code": 4401,
        "reason": "Sign in first.",
    }
    await stranger.wait()


async def test_it_goes_on_reading_while_a_command_runs(communicator: WebsocketCommunicator, settings: Settings) -> None:
    await hello(communicator)
    free = threading.Event()
    busy = [asyncio.create_task(bridge.run(free.wait, 10)) for _ in range(settings.BRIDGE_THREADS)]

    await communicator.send_json_to({"type": "subscribe", "session": str(uuid4())})
    await communicator.send_json_to({"type": "ping"})
    assert (await communicator.receive_json_from(timeout=5))["type"] == "pong"

    free.set()
    await asyncio.gather(*busy)
    assert (await communicator.receive_json_from(timeout=5))["code"] == "not_found"
