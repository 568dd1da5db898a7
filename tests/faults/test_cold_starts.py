"""Readers on a slow path that start anew in a Session of megabytes, while it is being written (P1, P11)."""

from contextlib import AsyncExitStack
from typing import Final
from uuid import uuid4

from tests.faults.conftest import Play
from tests.faults.rounds import Round, Scale
from tests.faults.system import Person, System
from tests.faults.tabs import Tab
from tests.support.proxy import Proxy

FEW: Final = Scale(people=6, tabs=2, sessions=2)
WORDS: Final = 100_000  # of an answer; it is larger than the server's buffer for a connection
BYTES_PER_S: Final = 1024 * 1024
SESSION_BYTES: Final = 5 * 1000 * 1000


async def test_slow_readers_start_anew_in_a_session_of_5_mb(
    world: System, people: list[Person], play: Play, *, is_long: bool
) -> None:
    async with AsyncExitStack() as stack:
        path = stack.enter_context(Proxy(world.front.upstream))
        path.throttle(BYTES_PER_S)
        slow = [await stack.enter_async_context(_slow(path, people[0], name)) for name in ("cold", "ahead")]
        round = await stack.enter_async_context(
            play("cold start and future cursor in a Session of 5 MB, slow readers", FEW)
        )
        session = round.sessions[0]
        await _fill(round, session, SESSION_BYTES if is_long else SESSION_BYTES // 4)
        await round.in_mid_stream(seconds=3, in_life=30)
        cold, ahead = slow
        cold.follow(session)
        ahead.follow(session, after=10**9, epoch=1)
        round.tabs += slow
        await round.healed()


def _slow(path: Proxy, person: Person, name: str) -> Tab:
    return Tab(f"ws://127.0.0.1:{path.port}/ws/", person, device=str(uuid4()), name=f"slow, {name}")


async def _fill(round: Round, session: str, size: int) -> None:
    """Lets the script answer until its whole answers in the log have so many bytes."""
    tab = next(tab for tab in round.tabs if session in tab.readings)
    while _size(round.system, session) < size:
        round.acks.append(await tab.say(session, words=WORDS, every_ms=0))
        await round.quiet()


def _size(system: System, session: str) -> int:
    with system.connect() as connection:
        row = connection.execute(
            "SELECT coalesce(sum(octet_length(data::text)), 0) FROM event WHERE session_id = %s AND kind = 'message.completed'",
            [session],
        ).fetchone()
    assert row is not None
    return int(str(row[0]))
