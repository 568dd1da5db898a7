"""One round: answers are under way, a fault happens and is healed, every answer ends, and all is compared with the log."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from tests.faults import conversations, stale_writes
from tests.faults.checker import Findings, check_frames, check_reader
from tests.faults.processes import Process
from tests.faults.promises import Ack, Broken, Promise, broken, kept
from tests.faults.system import Person, System
from tests.faults.tabs import Reading, Tab, open_tabs, readings
from tests.faults.truth import TERMINAL, Row, Truth, dump
from tests.support.fake_provider import Provider
from tests.support.waiting import DEADLINE_S, eventually

EVERY_MS: Final = 50  # 20 Events a second of each Session
ALL: Final = 100_000  # words
UNDER_WAY: Final = 4  # Events after the post until the first words are there
QUIET_WITHIN_S: Final = 3 * DEADLINE_S  # every answer that was asked for has to come to its end
CAUGHT_UP_S: Final = 5.0  # P3
LENIENT: Final = 2.0


def patience_s() -> float:
    """Returns how long catching up may take: longer than promised, the more so while others use the machine. The report says
    what it took.
    """
    running = int(Path("/proc/loadavg").read_text().split()[3].partition("/")[0])  # now; the averages come late
    return CAUGHT_UP_S * LENIENT * max(1.0, max(running, os.getloadavg()[0]) / (os.cpu_count() or 1))


class Scale(msgspec.Struct, frozen=True):
    """How many take part in a round, and how fast."""

    people: int = 20
    tabs: int = 3
    sessions: int = 5
    stretch: float = 1.0  # factor for everything that lasts
    every_ms: int = EVERY_MS  # between two words


class Result(msgspec.Struct, frozen=True):
    """One row of the report."""

    fault: str
    readers: int
    events: int
    findings: Findings
    promises: list[Broken]
    kept: Counter[Promise]  # how often each was put to the test
    caught_up_s: list[float]
    takeovers_s: list[float]  # from the loss of a worker until another one had the Run
    calls: int  # of one step, at most; 0 where no provider counts them
    reads: int
    note: str

    @property
    def p50(self) -> float:
        return percentile(self.caught_up_s, 50)

    @property
    def p99(self) -> float:
        return percentile(self.caught_up_s, 99)


def percentile(values: Sequence[float], percent: int) -> float:
    """Returns the smallest value that is not exceeded by so many percent of them; 0 where there are none."""
    return sorted(values)[int(len(values) * percent / 100)] if values else 0.0


class Round:
    """A test calls `in_mid_stream`, breaks something, heals it and calls `healed`; the end of the block does the rest."""

    def __init__(self, fault: str, system: System, scale: Scale) -> None:
        self.fault = fault
        self.system = system
        self.scale = scale
        self.sessions: list[str] = []
        self.tabs: list[Tab] = []
        self.acks: list[Ack] = []
        self.live = True  # every tab has to reach the head
        self.note = ""  # for the report
        self.provider: Provider | None = None  # counts the calls of models and of steps
        self._lost: list[tuple[str, float]] = []  # Runs whose worker was lost, and when
        self._losses: list[float] = []  # by the monotonic clock
        self._posts: list[asyncio.Task[Ack]] = []
        self._healed_at: float | None = None
        self._healed_heads: dict[str, int] = {}
        self._reads = 0

    async def begin(self, stack: AsyncExitStack, people: Sequence[Person]) -> None:
        """Creates the Sessions and opens the tabs that follow them."""
        mine = people[: self.scale.people]
        self.sessions = await conversations.create(self.system, mine, count=self.scale.sessions)
        self.tabs = await open_tabs(stack, self.system.url, mine, self.sessions, each=self.scale.tabs)
        await eventually(self._all_began, otherwise=self.behind)
        self._reads = await asyncio.to_thread(self.system.reads)

    async def in_mid_stream(self, *, seconds: float, in_life: float | None = None) -> None:
        """Begins an answer of about so many seconds in every Session, and waits until every tab has seen some of it. The last
        word of each answer is held back until the fault is over.
        """
        words = int(self._duration(seconds, in_life) * 1000 / self.scale.every_ms)
        self._allow(0)
        asked = await asyncio.gather(
            *(
                self._tab(session).say(session, words=words, every_ms=self.scale.every_ms, wait_at=words - 1)
                for session in self.sessions
            )
        )
        self.acks += asked
        begun = {ack.session: ack.seq + UNDER_WAY for ack in asked}
        await eventually(lambda: self.all_reached(begun), otherwise=self.behind)

    async def post(self, session: str, text: str, *, agent: str, policy: str | None = None, n: int = 0) -> Ack:
        """Posts the text from the n-th of the tabs that follow the Session, for that agent."""
        self.acks.append(ack := await self._tab(session, n).post(session, text, agent=agent, policy=policy))
        return ack

    def post_meanwhile(self) -> None:
        """Posts to every Session from another tab, whatever is broken now. Each post has to be answered in the end."""
        for n, session in enumerate(self.sessions):
            tab = self._tab(session, n + 1)
            self._posts.append(asyncio.create_task(tab.say(session, words=5, every_ms=1)))

    async def stop_all(self) -> None:
        """Presses Stop in every Session and waits until all Runs have ended."""
        await asyncio.gather(*(self._tab(session, 2).stop(session) for session in self.sessions))
        await eventually(self._is_quiet, otherwise=self.unfinished, blocking=True)

    async def healed(self, *, ahead: int = 0) -> None:
        """Says that the fault is over: now tabs catch up. They have when they reach the present head, or `ahead` Events more."""
        self._healed_at = time.monotonic()
        heads = await asyncio.to_thread(conversations.heads, self.system, self.sessions)
        self._healed_heads = {session: head + ahead for session, head in heads.items()}
        self._allow(ALL)

    async def all_back(self) -> None:
        """Waits until every tab has caught up."""
        await eventually(lambda: self.all_reached(self._healed_heads), within_s=patience_s(), otherwise=self.behind)

    async def lasts(self, seconds: float, *, in_life: float | None = None) -> None:
        """Sleeps while the fault lasts, longer in a long round. There is no fact to wait for: nothing is to happen."""
        await asyncio.sleep(self._duration(seconds, in_life))

    async def loses(self, worker: Process) -> None:
        """Notes that a worker is about to be killed, frozen or cut off. Where a second one stands by, the report says how long it
        took until that one had its Runs.
        """
        if self.system.workers[1].is_running:
            held = await asyncio.to_thread(conversations.held, self.system, self.sessions, worker)
            self._lost += [(run, time.time()) for run in held]
        self._losses.append(time.monotonic())

    async def taken_over(self, worker: Process) -> None:
        """Waits until every Run that this worker had is another's."""
        await eventually(
            lambda: not conversations.held(self.system, self.sessions, worker),
            otherwise=self.unfinished,
            blocking=True,
        )

    async def quiet(self) -> None:
        """Waits until every Run has ended and every tab has seen the end."""
        self._allow(ALL)
        async with asyncio.timeout(QUIET_WITHIN_S):
            self.acks += await asyncio.gather(*self._posts)
        self._posts.clear()
        await eventually(self._is_quiet, within_s=QUIET_WITHIN_S, otherwise=self.unfinished, blocking=True)
        heads = await asyncio.to_thread(conversations.heads, self.system, self.sessions)
        if self.live:
            await eventually(lambda: self.all_reached(heads), within_s=patience_s(), otherwise=self.behind)

    def result(self, truths: dict[str, Truth], stale: Sequence[str], reads: int) -> Result:
        """Compares what readers got with the log. `stale`: a line for each write of a worker to a Run that another one held."""
        findings = Findings()
        for session, reading in readings(self.tabs):
            findings.add(check_reader(truths[session], reading.batches, name=reading.name, live=self.live))
        for tab in self.tabs:
            findings.add(check_frames(truths, tab.notes.frames, name=tab.name))
        return Result(
            fault=self.fault,
            readers=len(readings(self.tabs)),
            events=sum(truth.head for truth in truths.values()),
            findings=findings,
            promises=[
                *(each for truth in truths.values() for each in broken(truth, self.acks)),
                *(Broken(Promise.FENCE, sentence) for sentence in stale),
            ],
            kept=sum((kept(truth) for truth in truths.values()), Counter[Promise]()),
            caught_up_s=[
                seconds for _, reading in readings(self.tabs) if (seconds := self._caught_up(reading)) is not None
            ],
            takeovers_s=[
                row.at - at
                for run, at in self._lost
                for row in [_next(truths.values(), run, at)]
                if row is not None and row.kind == "run.restarted"
            ],
            calls=self.provider.answers_per_step(lost=self._losses) if self.provider else 0,
            reads=reads - self._reads,
            note=self.note,
        )

    def behind(self) -> str:
        """Describes the tabs that have not reached the head."""
        heads = conversations.heads(self.system, self.sessions)
        late = [
            f"{reading.name} at {reading.cursor} of {heads[session]}"
            for session, reading in readings(self.tabs)
            if reading.cursor < heads[session]
        ]
        return f"{len(late)} of {len(readings(self.tabs))} are behind: {', '.join(late[:5])}\n{self.system.web.tail()}"

    def _allow(self, words: int) -> None:
        for session in self.sessions:
            self.system.allow(session, words)

    def _duration(self, seconds: float, in_life: float | None) -> float:
        return in_life if in_life is not None and self.scale.stretch > 1 else seconds * self.scale.stretch

    def _tab(self, session: str, n: int = 0) -> Tab:
        """Returns the n-th of the tabs that follow the Session."""
        tabs = [tab for tab in self.tabs if session in tab.readings]
        return tabs[n % len(tabs)]

    def _caught_up(self, reading: Reading) -> float | None:
        """Returns the seconds from the end of the fault until the reader had everything that was in the log then."""
        if self._healed_at is None or not self.live:
            return None
        at = reading.reached(self._healed_heads[reading.stream.session])
        return None if at is None else max(0.0, at - self._healed_at)

    def _all_began(self) -> bool:
        return all(reading.batches for _, reading in readings(self.tabs))

    def all_reached(self, heads: dict[str, int]) -> bool:
        return all(reading.cursor >= heads[session] for session, reading in readings(self.tabs))

    def _is_quiet(self) -> bool:
        return not conversations.active(self.system, self.sessions)

    def unfinished(self) -> str:
        active = conversations.active(self.system, self.sessions)
        tails = "\n".join(worker.tail() for worker in self.system.workers)
        return f"Runs that have not ended: {active}\nWaiting for: {conversations.waits(self.system)}\n{tails}"


def _next(truths: Iterable[Truth], run: str, at: float) -> Row | None:
    """Returns the first move of the Run after that time."""
    rows = (row for truth in truths for row in truth.facts if row.run == run and row.at > at)
    return next((row for row in rows if row.kind == "run.restarted" or row.kind in TERMINAL), None)


@asynccontextmanager
async def a_round(
    fault: str, system: System, people: Sequence[Person], scale: Scale, report: Callable[[Result], None]
) -> AsyncIterator[Round]:
    """Plays a round. Raises AssertionError where anything was missing, doubled, reordered or late."""
    made = Round(fault, system, scale)
    async with AsyncExitStack() as stack:
        await made.begin(stack, people)
        yield made
        await made.quiet()
        reads = await asyncio.to_thread(system.reads)
    truths = dump(system.database_url, made.sessions)
    with system.connect() as connection:
        stale = stale_writes.found(connection, made.sessions)
    result = made.result(truths, stale, reads)
    report(result)
    assert result.findings.clean, result.findings
    assert not result.promises, "\n".join(map(str, result.promises))
    assert result.calls <= 1, f"the provider has answered the same thing {result.calls} times"
    assert result.p99 <= patience_s(), f"caught up after {result.p99:.1f} s"
