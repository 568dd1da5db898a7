"""The DeltaBuffer gathers what an agent writes, loses nothing and keeps the order. Plain: the log is a list."""

import asyncio
from collections.abc import Sequence

import pytest

from agents.sdk import AgentFailed
from agents.sdk.delta_buffer import LIMIT, DeltaBuffer
from agents.sdk.message import MAX_LENGTH, Message
from sessions_core.protocol.errors import Fenced
from sessions_core.protocol.events import Fact, MessageCompleted, MessageDelta, RunProgressed
from tests.support.waiting import eventually

LONG_S = 30.0  # no test waits so long


class Log:
    """Keeps the statements in a list. A statement waits while `open` is not set, and raises `error` when there is one."""

    def __init__(self) -> None:
        self.statements: list[Sequence[Fact]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.at_once = 0
        self.error: Exception | None = None

    async def write(self, facts: Sequence[Fact]) -> None:
        assert self.at_once == 0, "one statement at a time for each Run"
        self.at_once += 1
        await self.open.wait()
        self.at_once -= 1
        if self.error:
            raise self.error
        self.statements.append(facts)

    @property
    def facts(self) -> list[Fact]:
        return [fact for statement in self.statements for fact in statement]

    @property
    def said(self) -> str:
        return "".join(fact.text for fact in self.facts if isinstance(fact, MessageDelta))


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
async def buffer(log: Log) -> DeltaBuffer:
    return DeltaBuffer(log.write, every_s=LONG_S, on_error=lambda _: None)


@pytest.fixture
async def message(buffer: DeltaBuffer) -> Message:
    return Message(buffer, parent=None, agent="a")


async def settle() -> None:
    """Lets everything happen that needs no time to pass."""
    for _ in range(200):
        await asyncio.sleep(0)


async def test_the_first_piece_goes_at_once(log: Log, message: Message) -> None:
    await message.append("first")
    await settle()

    assert log.said == "first"


async def test_what_follows_the_first_piece_is_gathered(log: Log, message: Message) -> None:
    await message.append("first")
    await settle()
    before = len(log.statements)
    for _ in range(50):
        await message.append("x")
    await settle()

    assert len(log.statements) == before


async def test_a_kib_does_not_wait_for_its_time(log: Log, message: Message) -> None:
    await message.append("first")
    await settle()
    await message.append("x" * 2000)
    await settle()

    assert len(log.said) == 2005


async def test_what_was_gathered_is_written_when_its_time_has_come(log: Log) -> None:
    quick = Message(DeltaBuffer(log.write, every_s=0.05, on_error=lambda _: None), parent=None, agent="a")
    await quick.append("first")
    await settle()
    await quick.append("second")
    await eventually(lambda: log.said == "firstsecond")

    assert len(log.statements) == 2


async def test_the_rest_goes_with_the_completion(log: Log, message: Message) -> None:
    await message.append("one ")
    await settle()
    await message.append("two ")
    await message.append("three")
    await message.complete()

    assert [type(fact) for fact in log.statements[-1]] == [MessageDelta, MessageCompleted]
    assert log.said == "one two three"


async def test_offsets_count_code_points_and_parts_change_with_the_kind(log: Log, message: Message) -> None:
    await message.reason("🤔")
    await message.append("héllo 👋🏽")
    await message.append("!")
    await message.complete()

    deltas = [
        (fact.part, fact.part_type, fact.offset, fact.text) for fact in log.facts if isinstance(fact, MessageDelta)
    ]
    assert deltas[0] == (0, "reasoning", 0, "🤔")
    assert deltas[1][:3] == (1, "text", 0)
    whole = log.facts[-1]
    assert isinstance(whole, MessageCompleted)
    assert [part.text for part in whole.parts] == ["🤔", "héllo 👋🏽!"]


async def test_nothing_is_written_for_nothing(log: Log, message: Message) -> None:
    await message.append("")
    await message.complete()

    assert [type(fact).__name__ for fact in log.facts] == ["MessageStarted", "MessageCompleted"]


async def test_an_agent_that_is_too_fast_waits(log: Log, message: Message) -> None:
    log.open.clear()

    async def chatter() -> None:
        while True:
            await message.append("x" * 1000)

    chattering = asyncio.create_task(chatter())
    await settle()
    waiting = message.length
    await settle()

    assert LIMIT < message.length == waiting <= 2 * LIMIT
    chattering.cancel()
    log.open.set()
    await asyncio.wait({chattering})
    await settle()


async def test_only_the_newest_progress_is_written(log: Log, buffer: DeltaBuffer) -> None:
    log.open.clear()
    for done in range(100):
        buffer.put(RunProgressed(label="Reading", done=done))
        await asyncio.sleep(0)
    log.open.set()
    await buffer.flush()

    assert len(log.facts) <= 2
    assert log.facts[-1] == RunProgressed(label="Reading", done=99)


async def test_after_a_refused_write_the_agent_is_cancelled_at_its_next_await(log: Log) -> None:
    errors: list[Exception] = []
    fenced = Message(DeltaBuffer(log.write, every_s=0, on_error=errors.append), parent=None, agent="a")
    log.error = Fenced()

    with pytest.raises(asyncio.CancelledError):
        await fenced.append("x")
    with pytest.raises(asyncio.CancelledError):
        await fenced.append("y")
    assert [type(error) for error in errors] == [Fenced]
    assert log.said == ""


async def test_closing_without_keep_drops_what_waits(log: Log, buffer: DeltaBuffer, message: Message) -> None:
    await message.append("first")
    await settle()
    await message.append(" second")

    await buffer.close(keep=False)

    assert log.said == "first"


async def test_closing_with_keep_writes_what_waits(log: Log, buffer: DeltaBuffer, message: Message) -> None:
    await message.append("first")
    await settle()
    await message.append(" second")

    await buffer.close(keep=True)

    assert log.said == "first second"


async def test_a_busy_agent_does_not_starve_others(message: Message) -> None:
    steps = 0

    async def other() -> None:
        nonlocal steps
        while True:
            steps += 1
            await asyncio.sleep(0)

    neighbour = asyncio.create_task(other())
    for _ in range(100):
        await message.append("x")
    neighbour.cancel()
    await message.complete()

    assert steps >= 100


async def test_a_message_that_grows_too_long_fails(message: Message, buffer: DeltaBuffer) -> None:
    with pytest.raises(AgentFailed, match="grew beyond"):
        await message.append("x" * (MAX_LENGTH + 1))
    await buffer.close(keep=False)


@pytest.mark.parametrize("unfit", ["\x00", "\ud800"])
async def test_text_that_the_log_cannot_hold_is_replaced(log: Log, message: Message, unfit: str) -> None:
    await message.append(f"a{unfit}b")
    await message.complete()

    assert log.said == "a�b"
