"""What a worker does besides its Runs: keeps their leases, hears of cancels, and looks for what others lost."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Final

from django.conf import settings

from agents.runner.runner import Runner
from sessions_core import bridge, hints
from sessions_core.protocol.ids import RunId
from sessions_core.services import runs

SWEEP_S: Final = 1  # so a lapsed lease is seen a second later at most
LISTEN_AGAIN_S: Final = 1
COMPACT_S: Final = 10

logger = logging.getLogger(__name__)


async def look_after(runner: Runner) -> None:
    """Runs until cancelled, whatever fails on the way."""
    hints.use_loop(asyncio.get_running_loop())
    async with asyncio.TaskGroup() as group:
        group.create_task(_again(runs.HEARTBEAT_S, Beats(runner).beat, "The leases could not be renewed"))
        group.create_task(_again(SWEEP_S, partial(_sweep, runner), "The Runs could not be swept"))
        group.create_task(_again(COMPACT_S, partial(_compact, runner), "The logs could not be compacted"))
        group.create_task(_again(LISTEN_AGAIN_S, partial(_listen, runner), "Cancels come by the heartbeat only"))


class Beats:
    """The heartbeat of a worker's Runs. When none got through for a lease, the Runs are another worker's."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._heard_at = _clock()

    async def beat(self) -> None:
        live = self._runner.live
        try:
            async with asyncio.timeout(runs.LEASE_S):
                if live:
                    await self._runner.renew(live)
            self._heard_at = _clock()
        finally:
            if _clock() - self._heard_at > runs.LEASE_S:
                self._runner.abandon()


async def _sweep(runner: Runner) -> None:
    """A full worker wakes nobody: what waits has a message in the queue already, and would get one more every few seconds."""
    if runner.draining:
        return
    await bridge.run(runs.end_lapsed)
    if len(runner.live) < settings.WORKER_RUNS:
        await bridge.run(runs.wake_waiting)


async def _compact(runner: Runner) -> None:
    """The janitor's round. Every worker goes it: each takes Runs that no other has at hand."""
    delay = timedelta(seconds=settings.COMPACT_AFTER_S)
    while not runner.draining:
        if not await bridge.run(runs.compact, delay=delay):
            return


async def _listen(runner: Runner) -> None:
    def hear(run_ids: set[RunId]) -> None:
        runner.cancel(run_ids)

    await hints.listen_cancels(hear)


async def _again(seconds: float, act: Callable[[], Awaitable[None]], trouble: str) -> None:
    """Does the act for ever. A failure is logged once, until it goes well again."""
    failing = False
    while True:
        try:
            await act()
            failing = False
        except Exception as error:  # noqa: BLE001  # a worker that no longer renews its leases is of no use
            if not failing:
                logger.warning("%s: %r", trouble, error)
            failing = True
        await asyncio.sleep(seconds)


def _clock() -> float:
    return asyncio.get_running_loop().time()
