"""Readers that do not read cost the server a bounded amount of memory, and the others nothing (P11)."""

import time
from contextlib import AsyncExitStack
from datetime import datetime
from uuid import uuid4

from tests.faults.conftest import Play
from tests.faults.rounds import Round, Scale
from tests.faults.system import Person, System
from tests.faults.tabs import Tab, readings
from tests.support.proxy import Proxy
from tests.support.waiting import eventually

SLOW = 10
MIB = 1024 * 1024
EACH_BYTES = 512 * 1024 + 300 * 1024  # SEND_BUFFER_LIMIT, and what the server's library holds besides
SLACK_BYTES = 24 * MIB  # recent frames, and garbage that was not collected yet
SMALL_BUFFER_BYTES = 16 * 1024
FEW = Scale(people=6, tabs=2, sessions=2)


async def test_stalled_readers_cost_little_and_the_others_nothing(
    world: System,
    people: list[Person],
    play: Play,
    is_long: bool,  # noqa: FBT001
) -> None:
    async with AsyncExitStack() as stack:
        path = stack.enter_context(Proxy(world.front.upstream, buffer_bytes=SMALL_BUFFER_BYTES))
        slow = [await stack.enter_async_context(_slow(path, people[0], n)) for n in range(SLOW)]
        round = await stack.enter_async_context(play("slow readers: stalled, 1 KB/s, resumed", FEW))
        others = list(round.tabs)
        for tab in slow:
            tab.follow(round.sessions[0])
        await eventually(lambda: all(tab.client.is_connected for tab in slow))
        usual = await _speak(round, others)
        before = world.web.resident_bytes()

        path.stall()
        await _fill(round, others)
        meanwhile = await _speak(round, others)
        grown = world.web.resident_bytes() - before
        path.throttle(1024)
        path.resume()
        await round.lasts(3, in_life=30)
        path.heal()
        round.tabs += slow
        await round.healed()
        round.note = f"others' p99 {usual * 1000:.0f} → {meanwhile * 1000:.0f} ms; web +{grown / MIB:.0f} MiB"
    assert grown <= SLOW * EACH_BYTES + SLACK_BYTES, f"{grown / MIB:.0f} MiB more"
    if is_long:  # measured on a machine that nobody else uses
        assert meanwhile <= max(3 * usual, usual + 0.25)


def _slow(path: Proxy, person: Person, n: int) -> Tab:
    return Tab(f"ws://127.0.0.1:{path.port}/ws/", person, device=str(uuid4()), name=f"slow {n}")


async def _speak(round: Round, tabs: list[Tab]) -> float:
    """Lets every Session be answered for a while; returns the p99 of the seconds from an Event's time to its arrival."""
    seen = {id(reading): len(reading.batches) for _, reading in readings(tabs)}
    await round.in_mid_stream(seconds=2)
    await round.quiet()
    epoch = time.time() - time.monotonic()
    late = sorted(
        at + epoch - datetime.fromisoformat(batch.events[-1].at).timestamp()
        for _, reading in readings(tabs)
        for at, batch in list(zip(reading.at, reading.batches, strict=True))[seen[id(reading)] :]
        if batch.events
    )
    return late[int(len(late) * 0.99)]


async def _fill(round: Round, tabs: list[Tab]) -> None:
    """Says more than a send buffer and the kernel's buffers hold, as fast as it can be said."""
    session = round.sessions[0]
    tab = next(tab for tab in tabs if session in tab.readings)
    for _ in range(2):
        round.acks.append(await tab.say(session, words=100_000, every_ms=0))
    await round.quiet()
