"""Clients that do not read, heartbeats, and the shutdown of the server."""

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.conf import settings
from typing_extensions import override

from sessions_core.live import connection
from sessions_core.machines.feed import Subscription
from sessions_core.machines.send_buffer import Frame
from sessions_core.protocol.frames import Unsubscribed
from sessions_core.protocol.ids import SessionId
from tests.support.waiting import DEADLINE_S
from tests.ws.fakes import EmptySource, FakeTransport, make_connection
from tests.ws.server import serving
from tests.ws.tab import Tab

if TYPE_CHECKING:
    from django.contrib.auth.models import User


async def test_one_that_does_not_take_a_frame_is_closed_with_4408() -> None:
    transport, source = FakeTransport(), EmptySource()
    slow = make_connection(transport, source)
    transport.reads.clear()
    session = SessionId(uuid4())
    slow.subscriptions[session] = Subscription(session, slow.send_buffer, cursor=0)
    writing = asyncio.create_task(slow.write())
    slow.reply(Unsubscribed(session=session))
    await transport.sending.wait()

    slow.tick(asyncio.get_running_loop().time() + connection.SEND_TIMEOUT_S + 1)
    assert slow.closing
    assert [each.session for each in source.ended] == [session]
    transport.reads.set()
    await writing

    assert json.loads(transport.sent[-1])["type"] == "goodbye"
    assert transport.closed == 4408


async def test_one_that_never_reads_is_dropped_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CLOSE_TIMEOUT_S", 0.01)
    transport, source = FakeTransport(), EmptySource()
    slow = make_connection(transport, source)
    transport.reads.clear()
    writing = asyncio.create_task(slow.write())
    slow.reply(Unsubscribed(session=SessionId(uuid4())))
    await transport.sending.wait()

    slow.close_too_slow()
    await writing

    assert slow.ended
    assert not len(slow.send_buffer)


async def test_one_that_says_no_hello_is_closed_with_4408() -> None:
    transport = FakeTransport()
    silent = make_connection(transport, EmptySource())
    writing = asyncio.create_task(silent.write())

    silent.tick(asyncio.get_running_loop().time() + connection.HELLO_TIMEOUT_S + 1)
    await writing

    assert transport.closed == 4408


async def test_silence_is_broken_by_a_heartbeat() -> None:
    transport, source = FakeTransport(), EmptySource()
    quiet = make_connection(transport, source)
    session = SessionId(uuid4())
    quiet.subscriptions[session] = Subscription(session, quiet.send_buffer, cursor=0)
    writing = asyncio.create_task(quiet.write())
    await asyncio.sleep(0)

    quiet.tick(asyncio.get_running_loop().time() + connection.HEARTBEAT_AFTER_S + 0.1)
    await transport.sending.wait()
    quiet.disconnect()
    await writing

    assert transport.sent == [f'{{"type":"heartbeat","heads":{{"{session}":7}}}}']


async def test_the_stalled_go_on_in_turn_when_the_outbox_is_empty() -> None:
    transport, source = FakeTransport(), EmptySource()
    slow = make_connection(transport, source)
    for _ in range(3):
        session = SessionId(uuid4())
        slow.subscriptions[session] = Subscription(session, slow.send_buffer, cursor=0)
    for each in slow.subscriptions.values():
        each.stalled = True
    slow.send_buffer.put(Frame(text="x", size=1))
    slow.send_buffer.refused = True

    writing = asyncio.create_task(slow.write())
    await transport.sending.wait()
    slow.disconnect()
    await writing

    assert len(source.refilled) == 3


class EndlessSource(EmptySource):
    """A Source with more frames than a reader can take."""

    @override
    def refill(self, subscription: Subscription) -> None:
        for _ in range(3):
            subscription.send_buffer.put(Frame(text="x", size=settings.SEND_BUFFER_LIMIT // 3))
        subscription.send_buffer.refused = True


async def test_a_subscription_far_behind_leaves_room_for_what_waits_for_it() -> None:
    transport, size = FakeTransport(), settings.SEND_BUFFER_LIMIT // 2
    reader = make_connection(transport, EndlessSource())
    session = SessionId(uuid4())
    behind = reader.subscriptions[session] = Subscription(session, reader.send_buffer, cursor=0)
    behind.stalled = reader.send_buffer.refused = True
    writing = asyncio.create_task(reader.write())
    await transport.sending.wait()
    assert not reader.send_buffer.fits(size)

    async with asyncio.timeout(DEADLINE_S):
        await reader.wait_for_room(size)

    assert reader.send_buffer.fits(size)
    reader.disconnect()
    await writing


def test_a_server_that_ends_says_when_to_come_back(transactional_db: None, alice: "User") -> None:
    from sessions_core.services import tokens

    with serving() as address:
        tabs = [Tab(address, token=tokens.issue(alice)) for _ in range(5)]
        for tab in tabs:
            tab.hello()

    for tab in tabs:
        assert tab.close_code() == 1012
        goodbye = next(frame for frame in tab.frames if frame["type"] == "goodbye")
        assert goodbye["code"] == 1012
        assert 0 <= goodbye["retry_after_ms"] <= 500
        tab.__exit__()


@pytest.mark.daphne
def test_a_reader_far_behind_gets_all_of_it(as_user: Callable[..., Tab], alice: "User") -> None:
    from sessions_core import log
    from sessions_core.protocol.events import RunProgressed
    from sessions_core.services import sessions
    from tests.db.acts import author

    owner = author(alice)
    session = sessions.create(by=owner, agent="script")
    tab = as_user(alice)
    tab.subscribe(session)
    label = "x" * 20_000
    for _ in range(100):  # 2 MB, four times the send buffer
        log.append(session, [RunProgressed(label=label)], actor=owner.actor)

    tab.until_seq(102)
    assert tab.seqs == list(range(1, 103))
