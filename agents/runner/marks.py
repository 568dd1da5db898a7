"""Shared memory in which a worker's loop notes that it is alive, and which Run it is executing at this moment.

The watchdog, a process of its own, reads it: a guard inside the loop would stop together with the loop. An agent's task is
wrapped, so that each of its steps is marked while it executes. Tasks that the agent starts inherit the mark by their context.
"""

import asyncio
import mmap
import os
import struct
import time
from collections.abc import Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from typing import Any, Final, Self, TypeVar
from uuid import UUID

from msgspec import Struct
from typing_extensions import override

from sessions_core.protocol.ids import RunId

T = TypeVar("T")

_TICK: Final = struct.Struct("<QQ")  # when the loop last ticked, in ns of the monotonic clock; the ident of its thread
_MARK: Final = struct.Struct("<?16sq")  # is a Run executing?, its id, its fence
_NOBODY: Final = _MARK.pack(False, bytes(16), 0)
SIZE: Final = _TICK.size + _MARK.size

_current: ContextVar[bytes] = ContextVar("run that executes")


class Marked(Struct, frozen=True):
    """The Run that the loop is executing, with the fence of its attempt."""

    run: RunId
    fence: int


class Marks:
    """The memory, seen from either side. `fd` is to be inherited by the watchdog."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._memory = mmap.mmap(fd, SIZE)

    @classmethod
    def create(cls) -> Self:
        """Makes the memory, with nobody marked."""
        fd = os.memfd_create("marks")
        os.ftruncate(fd, SIZE)
        marks = cls(fd)
        marks.unmark()
        return marks

    def tick(self, thread: int) -> None:
        """Notes that the loop, which runs on `thread`, is alive now."""
        self._memory[: _TICK.size] = _TICK.pack(time.monotonic_ns(), thread)

    def ticked(self) -> tuple[int, int]:
        """Returns when the loop last ticked, in ns of the monotonic clock, and its thread. Zeros before the first tick."""
        at, thread = _TICK.unpack(self._memory[: _TICK.size])
        return at, thread

    def mark(self, packed: bytes) -> None:
        self._memory[_TICK.size :] = packed

    def unmark(self) -> None:
        self._memory[_TICK.size :] = _NOBODY

    def marked(self) -> Marked | None:
        """Returns the Run whose step is executing, or None."""
        executing, run, fence = _MARK.unpack(self._memory[_TICK.size :])
        return Marked(RunId(UUID(bytes=run)), fence) if executing else None

    def task_factory(
        self,
        loop: asyncio.AbstractEventLoop,
        coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
        /,
        *,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """Makes tasks whose steps are marked, where their context names a Run. For `loop.set_task_factory`."""
        packed = (_current.get(None) if context is None else context.get(_current)) or b""
        steps = _Marking(coro, self, packed) if packed else coro
        return asyncio.Task(steps, loop=loop, context=context)

    def close(self) -> None:
        self._memory.close()
        os.close(self.fd)


def context_of(run: RunId, fence: int) -> Context:
    """Returns a copy of the present context that names the Run: tasks made with it, and tasks that those make, are marked."""
    context = copy_context()
    context.run(_current.set, _MARK.pack(True, run.bytes, fence))
    return context


class _Marking(Coroutine[Any, Any, Any]):
    """A coroutine that marks its Run for the time of each step of the coroutine inside."""

    def __init__(self, inner: Coroutine[Any, Any, Any] | Generator[Any, Any, Any], marks: Marks, packed: bytes) -> None:
        self._inner = inner
        self._marks = marks
        self._packed = packed

    @override
    def send(self, value: Any) -> Any:
        self._marks.mark(self._packed)
        try:
            return self._inner.send(value)
        finally:
            self._marks.unmark()

    @override
    def throw(self, *error: Any) -> Any:
        self._marks.mark(self._packed)
        try:
            return self._inner.throw(*error)
        finally:
            self._marks.unmark()

    @override
    def close(self) -> None:
        self._inner.close()

    @override
    def __await__(self) -> Generator[Any, Any, Any]:
        raise NotImplementedError  # only a task drives it

    def __getattr__(self, name: str) -> object:
        """Returns `cr_running`, `cr_frame` and the like of the coroutine inside: anyio asks a task's coroutine for its state."""
        return getattr(self._inner, name)
