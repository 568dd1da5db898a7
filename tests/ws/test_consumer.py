"""The consumer by Channels' own test client, without a server."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from channels.testing import WebsocketCommunicator
from django.db import connection
from pytest_django import Settings

from sessions_core import bridge
from sessions_core.consumers import SessionsConsumer
from sessions_core.protocol.frames import SUBPROTOCOL
from tests.support.waiting import DEADLINE_S, eventually

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


async def test_many_who_open_sockets_leave_threads_for_those_who_have_one(token: str, settings: Settings) -> None:
    headers = [(b"authorization", f"Bearer {token}".encode())]
    with database_lock("api_token") as waiting:  # so that finding out who they are takes long
        crowd = [
            WebsocketCommunicator(SessionsConsumer.as_asgi(), "/ws/", headers=headers)
            for _ in range(2 * settings.BRIDGE_THREADS)
        ]
        opening = [asyncio.create_task(each.connect(timeout=DEADLINE_S)) for each in crowd]
        await eventually(lambda: waiting() >= settings.BRIDGE_THREADS // 2)

        assert await asyncio.wait_for(bridge.run(waiting), DEADLINE_S / 4) == settings.BRIDGE_THREADS // 2

    await asyncio.gather(*opening)
    for each in crowd:
        await each.disconnect()


@contextmanager
def database_lock(table: str) -> Iterator[Callable[[], int]]:
    """Keeps everybody else from the table. Yields a function that returns how many wait for it."""
    database = connection.settings_dict
    with psycopg.connect(
        host=database["HOST"], port=database["PORT"] or None, dbname=database["NAME"], user=database["USER"]
    ) as other:
        other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")

        def waiting() -> int:
            row = other.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass", [table]
            ).fetchone()
            assert row is not None
            return int(row[0])

        yield waiting
        other.rollback()


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
