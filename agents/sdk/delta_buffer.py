"""Gathers what an agent writes for a moment, then writes it in one statement; one statement at a time for each Run.

The first piece is written at once, so that readers see the answer begin. After that there is a write every `every_s`, or sooner
when 1 KiB has come together. An agent that is faster than the database waits for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from agents.sdk.failed import AlreadyEnded
from sessions_core.machines.deltas import join_deltas
from sessions_core.protocol.events import Fact, RunProgressed, ToolProgressed

FULL: Final = 1024  # code points: with so many the buffer is written before its time
LIMIT: Final = 64 * 1024  # code points: with more waiting for the database, the agent waits too
RUN_ENDED: Final = (
    "The Run of this agent has ended, so nothing more can be written. Await its tasks before the agent returns."
)

_PROGRESS: Final = (RunProgressed, ToolProgressed)

Write = Callable[[Sequence[Fact]], Awaitable[object]]
OnError = Callable[[Exception], None]


class DeltaBuffer:
    """Writes the facts of one Run in the order of `put`. After a write has failed it calls `on_error` and is closed."""

    def __init__(self, write: Write, *, every_s: float, on_error: OnError) -> None:
        self._write = write
        self._every_s = every_s
        self._on_error = on_error
        self._facts: list[Fact] = []
        self._size = 0  # code points in `_facts`
        self._next_write_at = 0.0  # by the loop's clock
        self._write_now = asyncio.Event()
        self._written = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._ended = False

    def put(self, fact: Fact, *, size: int = 0, at_once: bool = False) -> None:
        """Adds the fact, of `size` code points; `at_once` it is written without delay. Ignores it when closed. Never waits:
        `wait_for_room` does.
        """
        if self._closed:
            return
        self._facts.append(fact)
        self._size += size
        if at_once or self._size >= FULL:
            self._write_now.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_all())

    async def wait_for_room(self) -> None:
        """Returns when at most LIMIT code points are waiting. Raises asyncio.CancelledError when a write has failed, and
        AlreadyEnded when the Run has ended.

        Always yields to the loop once, so that an agent that never awaits anything else does not starve the others.
        """
        await asyncio.sleep(0)
        while self._size > LIMIT and not self._closed:
            self._written.clear()
            await self._written.wait()
        self._check_open()

    async def flush(self) -> None:
        """Returns when everything that was put is in the log. Raises what `wait_for_room` raises."""
        await self._write_rest()
        self._check_open()

    def seal(self) -> None:
        """Refuses all that is put from now on: whoever writes is cancelled."""
        self._closed = True

    async def close(self, *, keep: bool) -> None:
        """Writes what is waiting, or drops it without `keep`, and closes the buffer. A write that has begun is always waited
        for. Never raises. Without `keep` the Run was stopped, and whoever writes later is cancelled, too.
        """
        if not keep:
            self._closed = True
            self._facts.clear()
        await self._write_rest()
        self._closed = True
        self._ended = keep

    async def _write_rest(self) -> None:
        self._write_now.set()
        while self._task is not None and not self._task.done():
            # `await self._task` would cancel the write together with the waiter.
            await asyncio.wait({self._task})

    def _check_open(self) -> None:
        if self._ended:
            raise AlreadyEnded(RUN_ENDED)
        if self._closed:
            raise asyncio.CancelledError

    async def _write_all(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._facts:
            await self._wait_until_due(self._next_write_at - clock())
            facts = _coalesced(self._facts)
            self._facts, self._size = [], 0
            if not facts:
                return
            self._next_write_at = clock() + self._every_s
            try:
                await self._write(facts)
            except Exception as error:  # noqa: BLE001  # `on_error` decides what it means for the Run
                self._closed = True
                self._facts.clear()
                self._on_error(error)
            self._written.set()

    async def _wait_until_due(self, seconds: float) -> None:
        if seconds > 0 and not self._write_now.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._write_now.wait()
            except TimeoutError:
                pass
        self._write_now.clear()


def _coalesced(facts: Sequence[Fact]) -> list[Fact]:
    """Returns the facts with neighbouring deltas joined, and of the progress of the Run and of each tool call the newest."""
    newest = {
        fact.call if isinstance(fact, ToolProgressed) else "": fact for fact in facts if isinstance(fact, _PROGRESS)
    }
    kept = (fact for fact in facts if not isinstance(fact, _PROGRESS) or any(fact is one for one in newest.values()))
    return [fact for _, fact in join_deltas(kept)]
