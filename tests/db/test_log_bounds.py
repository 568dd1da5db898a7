"""Reads of a log are bounded in bytes, and what they do not return is not fetched."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from django.db import connection

from sessions_core import log
from sessions_core.log import LogPage
from sessions_core.log.opening import ACTIVE_FACTOR
from sessions_core.log.ranges import PAGE_BYTES
from sessions_core.protocol.author import Author
from sessions_core.protocol.events import MessageCompleted, Part, RunCompleted
from sessions_core.protocol.ids import SessionId
from sessions_core.services import runs
from tests.db.acts import delta, post_and_claim, post_message, start_message

pytestmark = pytest.mark.django_db(transaction=True)

ANSWERS: Final = 12
ANSWER_BYTES: Final = 150_000  # more than half a page
SCREEN_BYTES: Final = 200_000

Statement = tuple[str, Any]


@pytest.fixture
def long(session: SessionId, owner: Author) -> SessionId:
    """A Session with ANSWERS long answers, which cannot be compressed."""
    texts = random.Random(8)
    for _ in range(ANSWERS):
        claim = post_and_claim(session, owner)
        parts = (Part("text", texts.randbytes(ANSWER_BYTES // 2).hex()),)
        log.append_as(claim, [MessageCompleted(message=start_message(claim), parts=parts, state="complete")])
        runs.finish(claim, RunCompleted())
    return session


@pytest.mark.parametrize(
    "read",
    [
        lambda session: log.read(session, after=0),
        lambda session: log.cold_start(session, messages=50),
        lambda session: log.open_last(session, messages=50, size=SCREEN_BYTES),
        lambda session: log.open_before(session, before=40, messages=50, size=SCREEN_BYTES),
    ],
    ids=["read", "cold start", "last", "before"],
)
def test_a_page_is_bounded_and_nothing_else_is_fetched(long: SessionId, read: Callable[[SessionId], LogPage]) -> None:
    with _recorded() as statements:
        page = read(long)

    assert len([event for event in page.events if event.kind == "message.completed"]) == 1
    assert ANSWER_BYTES < len(page.span.body) < PAGE_BYTES
    everything = [("SELECT data::text FROM event WHERE session_id = %s", [long])]
    assert _blocks(statements) < _blocks(everything) / 3


def test_pages_follow_each_other_without_a_gap(long: SessionId) -> None:
    pages = [log.cold_start(long, messages=5)]
    while pages[-1].span.end < pages[-1].head:
        pages.append(log.read(long, after=pages[-1].span.end))

    seqs = [event.seq for page in pages for event in page.events]
    assert seqs == list(range(pages[0].span.start + 1, pages[-1].head + 1))
    assert (pages[0].older, pages[0].events[0].kind) == (True, "message.started")
    assert len(pages) >= 3


def test_screens_follow_each_other_without_a_gap(long: SessionId) -> None:
    screens = [log.open_last(long, size=SCREEN_BYTES)]
    while screens[-1].older:
        screens.append(log.open_before(long, before=screens[-1].span.start, size=SCREEN_BYTES))

    seqs = [event.seq for screen in reversed(screens) for event in screen.events]
    assert seqs == list(range(1, screens[0].head + 1))
    assert len(screens) == ANSWERS


def test_an_event_larger_than_every_bound_passes(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    parts = (Part("text", "x" * 3_000_000),)
    large = log.append_as(claim, [MessageCompleted(message=start_message(claim), parts=parts, state="complete")])
    after = post_message(session, owner, "after")

    assert [event.seq for event in log.read(session, after=large.start).events] == [large.end]
    assert log.read(session, after=large.end).span.end == log.heads([session])[session].head
    assert large.end in [event.seq for event in log.open_before(session, before=after.seq - 1).events]


def test_a_screen_has_the_run_that_is_at_work_however_long_its_answer_is(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)
    log.append_as(claim, [delta(message, 0, "x" * 300_000), delta(message, 300_000, "y" * 300_000)])

    page = log.open_last(session, messages=50, size=SCREEN_BYTES)

    assert page.span.end == page.head
    assert {"run.requested", "run.started"} <= {event.kind for event in page.events}


def test_a_screen_of_many_queued_posts_is_bounded(session: SessionId, owner: Author) -> None:
    for _ in range(20):
        post_message(session, owner, "x" * 32_000)

    page = log.open_last(session, messages=50, size=SCREEN_BYTES)

    assert page.span.end == page.head
    assert SCREEN_BYTES < len(page.span.body) < SCREEN_BYTES * ACTIVE_FACTOR
    assert page.older


@contextmanager
def _recorded() -> Iterator[list[Statement]]:
    """Yields a list, and adds each statement with its parameters while the block runs."""
    statements: list[Statement] = []

    def record(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: ANN401, FBT001
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(record):
        yield statements


def _blocks(statements: list[Statement]) -> int:
    """Returns how many blocks of tables and indexes the SELECTs look at."""
    return sum(_blocks_of(*statement) for statement in statements if "SELECT" in statement[0])


def _blocks_of(sql: str, params: Any) -> int:  # noqa: ANN401
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
        plan = cursor.fetchone()[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
