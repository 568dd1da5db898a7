"""While PostgreSQL is away nothing is accepted; what was acknowledged before is there afterwards."""

import asyncio
import json
import os
import secrets
import signal

import pytest

from sessions_client.frames import Error, parse
from tests.faults.conftest import Play
from tests.faults.rounds import Round, Scale
from tests.faults.small_disk import is_small
from tests.faults.system import System
from tests.faults.tabs import Tab
from tests.support.waiting import eventually

FEW = Scale(people=6, tabs=2, sessions=2)


async def test_an_immediate_restart_of_the_database_loses_nothing(world: System, play: Play) -> None:
    async with play("PostgreSQL immediate restart") as round:
        await round.in_mid_stream(seconds=5, in_life=20)
        world.postgres.kill(signal.SIGQUIT)
        round.post_meanwhile()
        await round.lasts(1, in_life=10)
        world.postgres.start()
        await world.postgres.ready()
        await round.healed()


async def test_a_full_disk_is_refused_clearly_and_nothing_is_half_written(world: System, play: Play) -> None:
    if not is_small(world.disk):
        pytest.skip("A full disk needs a file system of its own for the database, which only root can mount.")
    async with play("disk full for the database", FEW) as round:
        await round.in_mid_stream(seconds=5)
        _fill(world)
        posting = [asyncio.create_task(_post_at_length(tab, session)) for session, tab in _authors(round)]
        await eventually(lambda: any(map(_was_refused, round.tabs)), otherwise=world.postgres.tail)
        world.make_room()
        if not world.postgres.is_running:  # it stops if it cannot write its own log
            world.postgres.start()
        await world.postgres.ready()
        await round.healed()
        round.post_meanwhile()
        for task in posting:
            task.cancel()
        await asyncio.gather(*posting, return_exceptions=True)


def _fill(world: System) -> None:
    """Fills the database's disk to the last byte."""
    with (world.disk / "filler").open("wb", buffering=0) as filler:
        size = 1024 * 1024
        while size:
            try:
                filler.write(b"\0" * size)
                os.fsync(filler.fileno())
            except OSError:
                size //= 2


async def _post_at_length(tab: Tab, session: str) -> None:
    """Posts long scripts until it is cancelled: of one word each, with a question that is never asked. A Run that failed would
    pause the queue, and those behind it would wait for a person.
    """
    while True:
        script = {"words": 1, "every_ms": 0, "ask": {"after": 2, "title": secrets.token_hex(14_000)}}
        await tab.client.post(session, json.dumps(script), agent="script")


def _authors(round: Round) -> list[tuple[str, Tab]]:
    return [(session, next(tab for tab in round.tabs if session in tab.readings)) for session in round.sessions]


def _was_refused(tab: Tab) -> bool:
    frames = [parse(text) for text in tab.notes.frames if '"error"' in text]
    return any(isinstance(frame, Error) and frame.id is not None and frame.code == "busy" for frame in frames)
