"""One statement at a time for all the Runs of a process: while it is under way the next ones gather (group commit)."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from sessions_core import bridge, log
from sessions_core.log import Write
from sessions_core.machines.feed import Span
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import Fenced
from sessions_core.protocol.events import Fact

TOGETHER: Final = 64  # writes in one statement: some 10 ms, so that none waits long for the others
UNSURE: Final = frozenset({"08", "57"})  # SQLSTATE classes: the connection, and an operator who ended it


class _Waiting(Struct, frozen=True):
    write: Write
    written: asyncio.Future[Span]


class Appender:
    """Writes for whoever asks, in the order they asked."""

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    async def append(self, claim: Claim, facts: Sequence[Fact]) -> Span:
        """What `log.append_as` gives or raises. When the caller is cancelled the write still comes to its end."""
        written = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(write=Write(grant=claim, facts=facts), written=written))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain(), name="appender")
        return await asyncio.shield(written)

    async def _drain(self) -> None:
        while self._waiting:
            group = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
            try:
                await _write(group)
            except Exception as error:  # noqa: BLE001  # theirs to judge
                await _apart(group, error)


async def _write(group: Sequence[_Waiting]) -> None:
    spans = await bridge.run(log.append_all, [one.write for one in group])
    for one, span in zip(group, spans, strict=True):
        if span is None:
            _refuse(one, Fenced())
        elif not one.written.done():
            one.written.set_result(span)


async def _apart(group: Sequence[_Waiting], error: Exception) -> None:
    """One write's fault must not be the others': each is tried alone. Not where it may have been committed: it would stand in
    the log twice.
    """
    if len(group) == 1 or not surely_undone(error):
        for one in group:
            _refuse(one, error)
        return
    for one in group:
        try:
            await _write([one])
        except Exception as alone:  # noqa: BLE001
            _refuse(one, alone)


def surely_undone(error: Exception) -> bool:
    """Whether the server itself said that it refused the statement. A connection that broke says nothing."""
    state: str | None = getattr(error.__cause__, "sqlstate", None)
    return state is not None and state[:2] not in UNSURE


def _refuse(one: _Waiting, error: Exception) -> None:
    if not one.written.done():
        one.written.set_exception(error)
        one.written.exception()  # its writer may have been cancelled: then nobody asks
