"""Presence in many Sessions does not stand in the way of hints: with a healthy Valkey none is lost."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final
from uuid import uuid4

from tests.faults.conftest import Play
from tests.faults.rounds import Scale
from tests.faults.system import Person, System
from tests.faults.tabs import Tab, readings
from tests.support.waiting import eventually

SESSIONS, SESSIONS_LONG = 300, 2_000
OF_A_TAB: Final = 60  # more at once would be refused for a while
APPENDS_S: Final = 12.0  # longer than the interval at which presence is repeated
FEW = Scale(people=2, tabs=1, sessions=2)
TROUBLE: Final = ("is deaf", "does not take hints", "No probe came back")
_MAKE: Final = """
    WITH made AS (
        INSERT INTO session (id, title, agent, policy, head)
        SELECT gen_random_uuid(), %(title)s, 'script', 'queue', 1 FROM generate_series(1, %(count)s) RETURNING id),
    owners AS (INSERT INTO participant (session_id, user_id, role) SELECT id, %(user)s, 'owner' FROM made),
    events AS (
        INSERT INTO event (session_id, seq, kind, at, actor_kind, actor_id, actor_name, data)
        SELECT id, 1, 'session.restored', now(), 'system', 'system', 'System', '{}' FROM made)
    SELECT id::text FROM made
"""
_APPEND_TO_ALL: Final = """
from time import sleep
from sessions_core import log
from sessions_core.models import Session
from sessions_core.protocol.events import SYSTEM, SessionRestored
for session in Session.objects.filter(title={title!r}):
    log.append(session.pk, [SessionRestored()], actor=SYSTEM)
    sleep({pause})
sleep(1)  # the last hint is sent by a thread
"""


async def test_no_hint_is_lost_however_many_sessions_have_presence(
    world: System,
    people: list[Person],
    play: Play,
    is_long: bool,  # noqa: FBT001
) -> None:
    count, title = SESSIONS_LONG if is_long else SESSIONS, str(uuid4())
    sessions = _make(world, people[0], count, title)
    said_before = len(world.web.log.read_text())
    async with play(f"presence in {count:,} Sessions", FEW) as round, AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(_tab(world, people[0], n)) for n in range(-(-count // OF_A_TAB))]
        for n, session in enumerate(sessions):
            tabs[n // OF_A_TAB].follow(session)
        await eventually(lambda: all(reading.cursor == 1 for _, reading in readings(tabs)))
        before = await asyncio.to_thread(world.reads)

        await asyncio.to_thread(world.shell, _APPEND_TO_ALL.format(title=title, pause=APPENDS_S / count))

        await eventually(lambda: all(reading.cursor == 2 for _, reading in readings(tabs)))
        reads = await asyncio.to_thread(world.reads) - before
        said = [line for line in world.web.log.read_text()[said_before:].splitlines() if any(map(line.count, TROUBLE))]
        round.note = f"{reads} of {count:,} Events read from the log"
        await round.in_mid_stream(seconds=1)
        await round.healed()
    assert not said
    assert reads <= count / 20  # a check of the tails may be between a commit and its hint


def _make(world: System, owner: Person, count: int, title: str) -> list[str]:
    with world.connect() as connection:
        rows = connection.execute(_MAKE, {"title": title, "count": count, "user": owner.id}).fetchall()
    return [str(row[0]) for row in rows]


def _tab(world: System, person: Person, n: int) -> Tab:
    return Tab(world.url, person, device=str(uuid4()), name=f"follower {n}")
