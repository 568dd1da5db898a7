"""What a Run waits for. While all that its agent awaits is waiting, no worker is needed: the Run is suspended, and its agent is
performed again from the beginning when that has come.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import copy_context
from datetime import datetime
from typing import Final, TypeVar

from msgspec import UNSET, Struct

from agents.sdk.steps import scope
from sessions_core.protocol.clock import wire
from sessions_core.protocol.events import RunWaiting, WaitsOn
from sessions_core.protocol.ids import AskId

T = TypeVar("T")

LOOK_EVERY_S: Final = 1.0  # while something else goes on in the Run, so that it cannot be suspended

Suspend = Callable[[RunWaiting, datetime | None], None]


class Waiting(Struct, frozen=True):
    """One thing to wait for, and until when at most."""

    on: WaitsOn
    ask: AskId | None = None
    signal: str | None = None
    until: datetime | None = None


class Waits:
    """The tasks of one attempt, and which of them wait. When all of them do and what the Run has said is in the log, which
    `flush` sees to, `suspend` is called; it cancels them.
    """

    def __init__(self, flush: Callable[[], Awaitable[None]], suspend: Suspend) -> None:
        self._flush = flush
        self._suspend = suspend
        self._busy: set[asyncio.Task[object]] = set()
        self._waiting: dict[asyncio.Task[object], Waiting] = {}

    def begin(self) -> None:
        """Notes the present task as the agent's own."""
        self._busy.add(_this_task())

    async def wait(self, waiting: Waiting) -> None:
        """Waits, and returns when it is time to look again. Does not return when the Run is suspended."""
        task = _this_task()
        is_known = task in self._busy
        self._busy.discard(task)
        self._waiting[task] = waiting
        try:
            await self._suspend_if_idle()
            await asyncio.sleep(LOOK_EVERY_S)
        finally:
            del self._waiting[task]
            if is_known:
                self._busy.add(task)

    async def gather(self, key: str, awaitables: Iterable[Awaitable[T]]) -> list[T]:
        """Awaits all of them side by side, and returns their results in order. When one raises, the others are cancelled."""
        mine = _this_task()
        is_known = mine in self._busy
        tasks = [_begin(f"{key}.{n}.", each) for n, each in enumerate(awaitables)]
        self._busy.update(tasks)
        self._busy.discard(mine)
        try:
            for task in tasks:
                task.add_done_callback(self._forget)
            return list(await asyncio.gather(*tasks))
        finally:
            if is_known:
                self._busy.add(mine)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, task: "asyncio.Task[object]") -> None:
        self._busy.discard(task)

    async def _suspend_if_idle(self) -> None:
        if self._busy:
            return
        await self._flush()
        if not self._busy:  # asked again: meanwhile a task may have gone on
            waits = list(self._waiting.values())
            until = min((each.until for each in waits if each.until is not None), default=None)
            self._suspend(fact_of(waits, until), until)


def _this_task() -> "asyncio.Task[object]":
    task = asyncio.current_task()
    assert task is not None
    return task


def _begin(prefix: str, work: Awaitable[T]) -> "asyncio.Task[T]":
    """Begins the work in a task. Its calls have keys of their own, whatever order the tasks come in."""
    context = copy_context()
    context.run(scope.set, scope.get() + prefix)
    return context.run(asyncio.ensure_future, work)


def fact_of(waits: Sequence[Waiting], until: datetime | None) -> RunWaiting:
    """Returns all that is waited for as one fact. It is named after what people can end, if there is such a thing."""
    asks = tuple(each.ask for each in waits if each.ask is not None)
    signals = tuple(dict.fromkeys(each.signal for each in waits if each.signal is not None))
    return RunWaiting(
        on="ask" if asks else "signal" if signals else "sleep",
        ask=asks[0] if asks else UNSET,
        asks=asks if len(asks) > 1 else UNSET,
        signal=signals[0] if signals else UNSET,
        signals=signals if len(signals) > 1 else UNSET,
        until=UNSET if until is None else wire(until),
    )
