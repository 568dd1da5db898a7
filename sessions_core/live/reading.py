"""The log as the hub reads it: by the bridge."""

from collections.abc import Collection, Mapping

from sessions_core import bridge, hub, log
from sessions_core.protocol.ids import SessionId


class BridgedLog:
    """Reads of the log, off the event loop."""

    async def read(self, session: SessionId, *, after: int) -> hub.Page:
        return await bridge.run(log.read, session, after=after)

    async def open_last(self, session: SessionId, *, messages: int) -> hub.Page:
        return await bridge.run(log.open_last, session, messages=messages)

    async def heads(self, sessions: Collection[SessionId]) -> Mapping[SessionId, hub.Position]:
        return await bridge.run(log.heads, sessions)
