"""Everything a worker does beside its Runs: renews leases, listens for cancels, sweeps, compacts, removes what was deleted."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Final

from django.conf import settings

from agents.runner.runner import Runner
from agents.sdk.registry import agents
from sessions_core import bridge, hints
from sessions_core.services import asks, deletion, runs, workers
from sessions_core.services.pruning import Pruning

SWEEP_S: Final = 1  # a lapsed lease is noticed within it
LISTEN_AGAIN_S: Final = 1
COMPACT_S: Final = 10
REMOVE_S: Final = 10
PRUNE_S: Final = 60

logger = logging.getLogger(__name__)


async def maintain(runner: Runner) -> None:
    """Runs until it is cancelled. A task that fails is tried again."""
    hints.use_loop(asyncio.get_running_loop())
    async with asyncio.TaskGroup() as group:
        group.create_task(
            _repeat(settings.HEARTBEAT_S, partial(_renew_leases, runner), "The leases could not be renewed")
        )
        group.create_task(_repeat(SWEEP_S, partial(end_lapsed, runner), "The lapsed Runs could not be ended"))
        group.create_task(_repeat(SWEEP_S, partial(wake_waiting, runner), "The waiting Runs could not be woken"))
        group.create_task(_repeat(SWEEP_S, partial(_expire_asks, runner), "The questions could not be closed"))
        group.create_task(
            _repeat(workers.SEEN_EVERY_S, partial(_seen, runner), "The database does not know this worker")
        )
        group.create_task(_repeat(COMPACT_S, partial(_compact, runner), "The logs could not be compacted"))
        group.create_task(_repeat(REMOVE_S, partial(_remove_deleted, runner), "Deleted Sessions could not be removed"))
        group.create_task(
            _repeat(PRUNE_S, partial(_prune, runner, Pruning()), "What nobody needs any more could not be removed")
        )
        group.create_task(
            _repeat(LISTEN_AGAIN_S, partial(_listen, runner), "Cancels and steers come by the heartbeat only")
        )


async def end_lapsed(runner: Runner) -> None:
    """Ends Runs that no worker will end."""
    if not runner.draining:
        await bridge.run(runs.end_lapsed)
        runner.note_answer()


async def _expire_asks(runner: Runner) -> None:
    """Closes the questions whose time is over."""
    if not runner.draining:
        await bridge.run(asks.expire)


async def wake_waiting(runner: Runner) -> None:
    """Wakes workers for Runs whose wake was lost. A full worker wakes nobody: it could not take them."""
    if not runner.draining and len(runner.running) < settings.WORKER_RUNS:
        await bridge.run(runs.wake_waiting, own_agents=agents().keys())


async def _renew_leases(runner: Runner) -> None:
    """Renews the leases of a worker's Runs. While the database is away the Runs go on: what they write is fenced, and a lapsed
    lease can still be renewed unless another worker has claimed the Run. A call without an answer is left behind after the time
    of a lease, so that the next one can find a connection that works.
    """
    if attempts := runner.running:
        async with asyncio.timeout(settings.LEASE_S):
            await runner.renew_leases(attempts)


async def _seen(runner: Runner) -> None:
    """Notes in the database that this worker is alive, and which agents it has."""
    if not runner.draining:
        await bridge.run_reserved(workers.mark_seen, runner.worker, agents().keys())


async def _compact(runner: Runner) -> None:
    """Compacts until nothing is due. Every worker does it at once: each takes Runs whose rows no other has locked."""
    delay = timedelta(seconds=settings.COMPACT_AFTER_S)
    while not runner.draining:
        if not await bridge.run(runs.compact, delay=delay):
            return


async def _remove_deleted(runner: Runner) -> None:
    """Removes deleted Sessions until none is left. Every worker does it at once: each takes a Session that no other has."""
    while not runner.draining:
        if not await bridge.run(deletion.remove_piece):
            return


async def _prune(runner: Runner, pruning: Pruning) -> None:
    """Looks for what nobody needs any more, in the next piece of each table."""
    if not runner.draining:
        await bridge.run(pruning.prune)


async def _listen(runner: Runner) -> None:
    await hints.listen_to_people(cancelled=runner.cancel, steered=runner.steer)


async def _repeat(every_s: float, act: Callable[[], Awaitable[None]], warning: str) -> None:
    """Performs the act for ever, with a pause of `every_s`. Logs the first failure of a row."""
    failing = False
    while True:
        try:
            await act()
            failing = False
        except Exception as error:  # noqa: BLE001  # the other tasks must go on, whatever fails in one
            if not failing:
                logger.warning("%s: %r", warning, error)
            failing = True
        await asyncio.sleep(every_s)
