"""A Connection without a server and a socket."""

import asyncio

from sessions_core.live.connection import Connection
from sessions_core.machines.feed import Subscription
from sessions_core.protocol.ids import SessionId, UserId
from sessions_core.services.callers import Caller

ALICE = Caller(user=UserId(1), name="Alice", can_write=True, token=1)


class EmptySource:
    """A Source without frames. It records what it is asked for."""

    def __init__(self) -> None:
        self.ended: list[Subscription] = []
        self.refilled: list[Subscription] = []

    def refill(self, subscription: Subscription) -> None:
        subscription.stalled = False
        self.refilled.append(subscription)

    def unsubscribed(self, _connection: Connection, subscription: Subscription) -> None:
        self.ended.append(subscription)

    def head(self, _session: SessionId) -> int:
        return 7


class FakeTransport:
    """A Transport whose client takes frames only while it `reads`."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.closed: int | None = None
        self.reads = asyncio.Event()
        self.reads.set()
        self.sending = asyncio.Event()

    async def send_text(self, text: str) -> None:
        self.sending.set()
        await asyncio.sleep(0)  # as every socket does now and then
        await self.reads.wait()
        self.sent.append(text)

    async def close(self, code: int, reason: str) -> None:
        assert reason
        self.closed = code


def make_connection(transport: FakeTransport, source: EmptySource) -> Connection:
    return Connection(ALICE, "127.0.0.1", transport, source)
