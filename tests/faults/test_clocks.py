"""Workers whose clocks are an hour off: leases, sleeps and expiries go by the database's clock, so nobody notices."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

import pytest

from tests.faults import conversations
from tests.faults.conftest import Play
from tests.faults.rounds import Scale
from tests.faults.system import Person, System
from tests.faults.truth import Truth, dump
from tests.support import clock
from tests.support.scripts import script
from tests.support.waiting import eventually

OFF_S: Final = (3600.0, -3600.0)
SLEEP_S, EXPIRES_S = 5.0, 8.0
FEW: Final = Scale(people=6, tabs=1, sessions=3, stretch=3.0)
SLACK_S: Final = 60.0  # a machine may be busy; an hour is more


@pytest.mark.usefixtures("second_worker")
async def test_workers_whose_clocks_are_an_hour_off_do_all_in_time(
    world: System, people: list[Person], play: Play, *, is_long: bool
) -> None:
    if not is_long:
        pytest.skip("played in long rounds; it starts both workers with other clocks")
    if clock.compiler() is None:
        pytest.skip(clock.ADVICE)
    with _clocks_off(world):
        sleeping, asking = await conversations.create(world, people, count=2)
        async with play("workers' clocks an hour fast and an hour slow, kill -9 of the fast one", FEW) as round:
            await round.in_mid_stream(seconds=4, in_life=20)
            round.sessions += [sleeping, asking]
            await conversations.ask(world, people[0], sleeping, script(words=1, sleep_s=SLEEP_S), agent="script")
            order = script(words=1, ask={"after": 1, "expires_s": EXPIRES_S})
            await conversations.ask(world, people[0], asking, order, agent="script")
            for session, on in ((sleeping, "sleep"), (asking, "ask")):
                waits = partial(conversations.waiting, world, [session], on=on)
                await eventually(waits, otherwise=round.unfinished, blocking=True)
            await round.loses(world.worker)
            world.worker.kill(signal.SIGKILL)
            await round.healed()
        truths = dump(world.database_url, [sleeping, asking])
    assert SLEEP_S < _between(truths[sleeping], "run.started", "run.resumed") < SLEEP_S + SLACK_S
    assert EXPIRES_S < _between(truths[asking], "run.started", "ask.closed") < EXPIRES_S + SLACK_S


@contextmanager
def _clocks_off(world: System) -> Iterator[None]:
    """Starts the workers anew, one with a fast clock and one with a slow one; ends them afterwards."""
    library, usual = clock.build(world.folder), [worker.environment for worker in world.workers]
    for worker, seconds in zip(world.workers, OFF_S, strict=True):
        worker.end()
        worker.environment = clock.off(library, seconds, worker.environment)
        assert abs(_time(worker.environment) - time.time() - seconds) < SLACK_S
        worker.start()
        worker.wait_until_ready()
    try:
        yield
    finally:
        for worker, environment in zip(world.workers, usual, strict=True):
            worker.end()
            worker.environment = environment


def _time(environment: dict[str, str]) -> float:
    """Returns the time that a process with that environment has, in seconds since 1970."""
    command = [sys.executable, "-c", "import time; print(time.time())"]
    return float(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)


def _between(truth: Truth, first: str, second: str) -> float:
    """Returns the seconds between two Events."""
    [start], [end] = ([row.at for row in truth.facts if row.kind == kind] for kind in (first, second))
    return end - start
