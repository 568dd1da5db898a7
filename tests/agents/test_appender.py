"""Writes of several Runs go into one statement; a faulty one fails alone."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from django.db import IntegrityError, OperationalError, connection

from agents.runner.appender import Appender, wrote_nothing
from sessions_core import bridge
from sessions_core.log import Write
from sessions_core.machines.feed import Span
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import Fenced
from sessions_core.protocol.events import Fact, MessageCompleted, RunProgressed
from sessions_core.protocol.ids import SessionId, new_message
from sessions_core.services import runs, sessions, steps
from sessions_core.services.steps import NewStep
from tests.agents.facts import of_kind
from tests.db.acts import new_client_id, post_and_claim
from tests.support.waiting import DEADLINE_S

pytestmark = pytest.mark.django_db(transaction=True)

COMPLETED = MessageCompleted(message=new_message(), parts=(), state="complete")


def two_claims(session: SessionId, owner: Author) -> list[Claim]:
    return [post_and_claim(one, owner) for one in (session, sessions.create(by=owner, agent="script"))]


async def test_writes_gather_after_a_statement_that_was_soon_done(
    session: SessionId, owner: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = await bridge.run(two_claims, session, owner)
    groups: list[int] = []
    monkeypatch.setattr(steps, "write_all", partial(_counted, groups, steps.write_all))
    appender = Appender(gather_s=2)

    for group in (claims[:1], claims):  # the first alone opens the connection
        await asyncio.gather(*(_append_later(appender, claim, n) for n, claim in enumerate(group)))

    assert groups == [1, 2]


async def test_a_step_does_not_wait_for_other_writes(session: SessionId, owner: Author) -> None:
    claim, _ = await bridge.run(two_claims, session, owner)
    appender = Appender(gather_s=10 * DEADLINE_S)

    for key in ("a", "b"):
        step = NewStep(key=key, ordinal=1, digest="", result=b"1")
        async with asyncio.timeout(DEADLINE_S):
            await appender.append(claim, [step.fact], step=step)


def _counted(
    groups: list[int],
    write_all: Callable[[Sequence[Write], Sequence[NewStep | None]], list[Span | None]],
    writes: Sequence[Write],
    kept: Sequence[NewStep | None],
) -> list[Span | None]:
    groups.append(len(writes))
    return write_all(writes, kept)


async def _append_later(appender: Appender, claim: Claim, turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await appender.append(claim, [RunProgressed(label="Reading")])


async def test_a_fenced_write_fails_alone(session: SessionId, owner: Author) -> None:
    claims = await bridge.run(two_claims, session, owner)
    await bridge.run(runs.cancel, claims[0].session, by=owner, client_id=new_client_id())
    appender = Appender()

    fact = RunProgressed(label="Reading")
    first, second = await asyncio.gather(*(appender.append(claim, [fact]) for claim in claims), return_exceptions=True)

    assert isinstance(first, Fenced)
    assert not isinstance(second, BaseException)
    assert await bridge.run(of_kind, claims[1].session, RunProgressed) == [fact]


@pytest.mark.parametrize(
    ("faulty", "error"),
    [((COMPLETED, COMPLETED), IntegrityError), ((RunProgressed(label="\ud800"),), UnicodeEncodeError)],
    ids=["refused by the database", "cannot be encoded"],
)
async def test_a_faulty_write_fails_alone(
    session: SessionId, owner: Author, faulty: Sequence[Fact], error: type[Exception]
) -> None:
    claims = await bridge.run(two_claims, session, owner)
    appender = Appender()

    fact = RunProgressed(label="Reading")
    first, second = await asyncio.gather(
        appender.append(claims[0], faulty), appender.append(claims[1], [fact]), return_exceptions=True
    )

    assert isinstance(first, error)
    assert not isinstance(second, BaseException)
    assert await bridge.run(of_kind, claims[1].session, RunProgressed) == [fact]


def test_what_the_server_refused_is_not_written() -> None:
    with pytest.raises(Exception, match="division by zero") as refused, connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")

    assert wrote_nothing(refused.value)


def test_what_was_written_when_the_connection_broke_may_have_been_committed() -> None:
    with pytest.raises(OperationalError) as lost, connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    assert not wrote_nothing(lost.value)
    connection.close()
