"""How what an agent says reaches the log: gathered for a moment, then written in one statement, one at a time for each Run.

The first piece goes at once, so that a reader sees the answer begin; after that a write every `every_s`, or sooner when a
KiB came together. A model that is faster than the database waits for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from sessions_core.protocol.events import Fact, MessageDelta, RunProgressed

BATCH: Final = 1024  # code points that do not wait for their time
ROOM: Final = 64 * 1024  # code points that may wait for the database, before the agent waits too

Write = Callable[[Sequence[Fact]], Awaitable[object]]
Broken = Callable[[Exception], None]


class DeltaBuffer:
    """Writes the facts of one Run in the order they were put. After a write failed, `broken` was called and nothing more is
    written: whoever waits here is cancelled.
    """

    def __init__(self, write: Write, *, every_s: float, broken: Broken) -> None:
        self._write = write
        self._every_s = every_s
        self._broken = broken
        self._waiting: list[Fact] = []
        self._size = 0
        self._due = 0.0
        self._hurry = asyncio.Event()
        self._moved = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._over = False

    def put(self, fact: Fact, *, size: int = 0, at_once: bool = False) -> None:
        """Takes the fact, of `size` code points. Never waits; `room` does."""
        if self._over:
            return
        self._waiting.append(fact)
        self._size += size
        if at_once or self._size >= BATCH:
            self._hurry.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())

    async def room(self) -> None:
        """Returns when there is room for more. Always gives others a turn, so that a busy agent starves nobody."""
        await asyncio.sleep(0)
        while self._size > ROOM and not self._over:
            self._moved.clear()
            await self._moved.wait()
        self._check()

    async def flush(self) -> None:
        """Returns when all that was put so far is in the log."""
        await self._settle()
        self._check()

    async def close(self, *, keep: bool) -> None:
        """Ends the writing: with `keep` the rest is written, else dropped. Never raises; a write under way comes to its end."""
        if not keep:
            self._over = True
            self._waiting.clear()
        await self._settle()
        self._over = True

    async def _settle(self) -> None:
        self._hurry.set()
        while self._task is not None and not self._task.done():
            await asyncio.wait(
                {self._task}
            )  # unlike `await task`, this leaves the write alone when the waiter is cancelled

    def _check(self) -> None:
        if self._over:
            raise asyncio.CancelledError

    async def _drain(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._waiting:
            await self._pause(self._due - clock())
            facts = _gathered(self._waiting)
            self._waiting, self._size = [], 0
            if not facts:
                return
            self._due = clock() + self._every_s
            try:
                await self._write(facts)
            except Exception as error:  # noqa: BLE001  # whoever runs the agent decides what it means
                self._over = True
                self._waiting.clear()
                self._broken(error)
            self._moved.set()

    async def _pause(self, seconds: float) -> None:
        if seconds > 0 and not self._hurry.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._hurry.wait()
            except TimeoutError:
                pass
        self._hurry.clear()


def _gathered(facts: Sequence[Fact]) -> list[Fact]:
    """The same with neighbouring deltas of one part made one, and of the progress only the newest."""
    newest = max((n for n, fact in enumerate(facts) if isinstance(fact, RunProgressed)), default=-1)
    gathered: list[Fact] = []
    deltas: list[MessageDelta] = []
    for n, fact in enumerate(facts):
        if deltas and not (isinstance(fact, MessageDelta) and _same_part(deltas[-1], fact)):
            gathered.append(_joined(deltas))
            deltas = []
        if isinstance(fact, MessageDelta):
            deltas.append(fact)
        elif n == newest or not isinstance(fact, RunProgressed):
            gathered.append(fact)
    return [*gathered, _joined(deltas)] if deltas else gathered


def _same_part(one: MessageDelta, other: MessageDelta) -> bool:
    return (one.message, one.part) == (other.message, other.part)


def _joined(deltas: Sequence[MessageDelta]) -> MessageDelta:
    first = deltas[0]
    if len(deltas) == 1:
        return first
    return MessageDelta(
        message=first.message,
        part=first.part,
        part_type=first.part_type,
        offset=first.offset,
        text="".join(delta.text for delta in deltas),
    )
