"""The Receiver without a socket."""

import asyncio
import json
from uuid import uuid4

import pytest

from sessions_core.consumers import commands
from sessions_core.consumers.receiver import Receiver
from sessions_core.live.connection import Connection
from sessions_core.live.delivery import Delivery
from sessions_core.live.limits import FRAME_BURST, WAITING_BYTES
from sessions_core.protocol.frames import FRAME_BYTES, ClientFrame
from sessions_core.protocol.ids import DeviceId
from tests.support.waiting import eventually
from tests.ws.fakes import EmptySource, FakeTransport, make_connection


async def test_large_frames_are_fewer_a_second() -> None:
    connection = make_connection(FakeTransport(), EmptySource())
    connection.device = DeviceId(uuid4())
    receiver = Receiver(connection, Delivery())
    large = json.dumps({"type": "ping", "filler": "x" * (FRAME_BYTES - 100)})

    pauses = [receiver.receive(large) for _ in range(FRAME_BURST // 8 + 1)]

    assert pauses[0] == 0.0
    assert pauses[-1] > 0.1


async def test_frames_that_wait_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, executed = asyncio.Event(), []

    async def execute(frame: ClientFrame, _connection: Connection, _delivery: Delivery) -> None:
        await go_on.wait()
        executed.append(frame)

    monkeypatch.setattr(commands, "execute", execute)
    connection = make_connection(FakeTransport(), EmptySource())
    connection.device = DeviceId(uuid4())
    receiver = Receiver(connection, Delivery())
    third = json.dumps({"type": "unsubscribe", "session": str(uuid4()), "filler": "x" * (WAITING_BYTES // 3)})

    for _ in range(3):
        receiver.receive(third)
    refused = json.loads(connection.send_buffer.take() or "{}")
    assert (refused["code"], refused["retry"]) == ("rate_limited", True)

    go_on.set()
    await eventually(lambda: len(executed) == 2)
    receiver.receive(third)
    await eventually(lambda: len(executed) == 3)
    assert connection.send_buffer.take() is None
