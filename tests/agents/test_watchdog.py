"""The watchdog's parts: what counts as silence, what is read from faulthandler's text, and which Run a step is marked with."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import anyio
import pytest

from agents.runner.marks import Marked, Marks, context_of
from agents.runner.watchdog import TICK_S, Silence, culprit, warn_s
from sessions_core.protocol.ids import RunId

RUN = RunId(uuid4())
DUMP = """Timeout (0:00:02)!
Thread 0x00007f0000000001 (most recent call first):
  File "/base/lib/python3.11/re/__init__.py", line 166 in match
  File "/home/me/agents/catalogue/greedy.py", line 12 in greedy
  File "/base/lib/python3.11/asyncio/events.py", line 80 in _run

Thread 0x00007f0000000002 (most recent call first):
  File "/base/lib/python3.11/threading.py", line 327 in wait
"""


@pytest.fixture
def marks() -> Iterator[Marks]:
    with closing(Marks.create()) as made:
        yield made


def test_a_loop_that_ticks_is_never_silent() -> None:
    silence = Silence()

    assert [silence.observe(ticked, stopped=False) for ticked in range(1, 50)] == [0.0] * 49


def test_silence_is_counted_in_the_watchdogs_own_ticks() -> None:
    silence = Silence()
    silence.observe(1, stopped=False)

    assert [silence.observe(1, stopped=False) for _ in range(3)] == [TICK_S, 2 * TICK_S, 3 * TICK_S]


def test_a_worker_that_a_signal_has_stopped_blocks_nobody() -> None:
    silence = Silence()
    for _ in range(10):
        silence.observe(1, stopped=False)

    assert silence.observe(1, stopped=True) == 0.0
    assert silence.observe(1, stopped=False) == TICK_S


def test_a_worker_that_has_not_ticked_yet_is_only_starting() -> None:
    silence = Silence()

    assert [silence.observe(0, stopped=False) for _ in range(50)] == [0.0] * 50


@pytest.mark.parametrize("lease_s", [1, 6, 600])
def test_where_a_loop_hangs_is_logged_before_its_worker_is_killed(lease_s: int) -> None:
    assert 0 < warn_s(lease_s) < lease_s


def test_the_culprit_is_the_innermost_line_that_is_not_pythons_own() -> None:
    assert culprit(DUMP, 0x7F0000000001, library="/base") == "/home/me/agents/catalogue/greedy.py, line 12, in greedy"


def test_a_text_without_the_thread_names_nobody() -> None:
    assert culprit("", 1, library="/base") == "?, line ?, in ?"


async def test_each_step_of_an_agent_is_marked_and_nothing_else_is(marks: Marks) -> None:
    seen: list[Marked | None] = []

    async def grandchild() -> None:
        seen.append(marks.marked())

    async def agent() -> str:
        seen.append(marks.marked())
        await asyncio.sleep(0)
        await asyncio.gather(grandchild(), grandchild())
        return "done"

    asyncio.get_running_loop().set_task_factory(marks.task_factory)
    task = asyncio.create_task(agent(), context=context_of(RUN, 7))
    await asyncio.sleep(0)

    assert marks.marked() is None
    assert await task == "done"
    assert seen == [Marked(RUN, 7)] * 3
    assert marks.marked() is None


async def test_a_marked_task_is_cancelled_as_any_other(marks: Marks) -> None:
    asyncio.get_running_loop().set_task_factory(marks.task_factory)
    forever: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def agent() -> None:
        await forever

    task = asyncio.create_task(agent(), context=context_of(RUN, 1))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert marks.marked() is None


async def test_a_marked_task_tells_its_state_as_anyio_asks_for_it(marks: Marks) -> None:
    asyncio.get_running_loop().set_task_factory(marks.task_factory)

    async def agent() -> int:
        with anyio.fail_after(60):
            async with anyio.create_task_group() as group:
                group.start_soon(anyio.sleep, 0)
        return 1

    assert await asyncio.create_task(agent(), context=context_of(RUN, 1)) == 1
