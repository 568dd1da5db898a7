"""P1, P4, P6, P7: the log is gapless and ordered, and only the present, uncancelled attempt writes."""

import json
import threading
from functools import partial
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from sessions_core import log
from sessions_core.log import Write
from sessions_core.machines.feed import Span
from sessions_core.models import Event, Run, Session
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import Fenced, NotFound
from sessions_core.protocol.events import MessageCompleted, MessageDelta, Part, RunCompleted, decode_fact
from sessions_core.protocol.ids import SessionId
from sessions_core.services import runs, sessions
from tests.db.acts import (
    concurrently,
    delta,
    facts,
    kinds,
    new_client_id,
    post_and_claim,
    post_message,
    read_events,
    somebody_waits,
    start_message,
)
from tests.support.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def test_seq_is_gapless_while_many_write(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)
    head = log.heads([session])[session].head

    concurrently(*[partial(log.append_as, claim, [delta(message, 0, "a"), delta(message, 1, "b")]) for _ in range(12)])

    seqs = list(Event.objects.filter(session_id=session).order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, head + 25))
    assert Session.objects.get(pk=session).head == head + 24


def test_a_span_holds_what_was_appended(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)

    span = log.append_as(claim, [delta(message, 0, "héy"), delta(message, 3, "!")])

    one = log.read(session, after=span.start, limit=1).span
    two = log.read(session, after=one.end, limit=1).span
    assert (one.end, two.end) == (span.start + 1, span.end)
    assert json.loads(f"[{span.body.decode()}]") == json.loads(f"[{one.body.decode()},{two.body.decode()}]")


def test_an_older_attempt_cannot_write(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)
    Run.objects.update(lease_until="2000-01-01T00:00Z")
    second = runs.claim(claim.session, claim.run, worker="w2")
    assert second is not None

    with pytest.raises(Fenced):
        log.append_as(claim, [delta(message, 0, "zombie")])

    assert second.fence == claim.fence + 1
    assert "message.delta" not in kinds(session)


def test_nothing_is_written_after_a_cancel(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)
    runs.cancel(session, by=owner, client_id=new_client_id())

    with pytest.raises(Fenced):
        log.append_as(claim, [delta(message, 0, "late")])


def test_a_cancel_and_a_flood_of_deltas_never_cross(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)
    writes = [partial(log.append_as, claim, [delta(message, n, "x")]) for n in range(15)]

    concurrently(*writes[:8], partial(runs.cancel, session, by=owner, client_id=new_client_id()), *writes[8:])

    after = kinds(session)
    assert "message.delta" not in after[after.index("run.cancel_requested") :]


def test_a_writer_of_a_deleted_session_is_fenced(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    Run.objects.filter(pk=claim.run).delete()
    Session.objects.filter(pk=session).delete()

    with pytest.raises(Fenced):
        start_message(claim)
    with pytest.raises(NotFound):
        log.read(session, after=0)


def test_a_reader_gets_neighbouring_deltas_as_one(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)
    log.append_as(claim, [delta(message, 0, "a")])
    last = log.append_as(claim, [delta(message, 1, "😀"), delta(message, 2, "c")])

    event = read_events(session)[-1]

    assert event.seq == last.end
    assert facts(session)[-1] == delta(message, 0, "a😀c")


def test_a_read_is_cut_at_its_limit_and_goes_on_from_there(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)
    log.append_as(claim, [delta(message, n, "x") for n in range(9)])
    head = log.heads([session])[session].head

    first = log.read(session, after=head - 9, limit=4)
    second = log.read(session, after=first.span.end, limit=100)

    assert (first.span.start, first.span.end, first.head) == (head - 9, head - 5, head)
    assert (second.span.start, second.span.end) == (head - 5, head)


def test_a_reader_ahead_of_the_head_gets_an_empty_range(session: SessionId) -> None:
    page = log.read(session, after=99)

    assert (page.span.start, page.span.end, page.head, page.span.body) == (99, 99, 2, b"")


def test_a_compacted_range_is_no_gap(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)
    inside = log.append_as(claim, [delta(message, 0, "a"), delta(message, 1, "b")]).start + 1
    log.append_as(claim, [MessageCompleted(message=message, parts=(Part("text", "ab"),), state="complete")])
    runs.finish(claim, RunCompleted())

    assert log.compact(session, claim.run, after=0) == 2
    page = log.read(session, after=inside)

    assert (page.span.start, page.span.end) == (inside, page.head)
    assert [event.kind for event in page.events] == ["message.completed", "run.completed"]
    assert not any(isinstance(fact, MessageDelta) for fact in facts(session))


def test_a_cold_start_begins_at_a_message(session: SessionId, owner: Author) -> None:
    for _ in range(3):
        claim = post_and_claim(session, owner)
        log.append_as(claim, [delta(start_message(claim), 0, "answer")])
        runs.finish(claim, RunCompleted())

    page = log.open_last(session, messages=3)
    earlier = log.open_before(session, before=page.span.start, messages=2)

    assert page.events[0].kind == "message.started"
    assert [event.kind for event in page.events].count("message.posted") == 1
    assert page.older
    assert earlier.span.end == page.span.start
    assert earlier.events[0].kind == "message.started"


def test_a_cold_start_never_cuts_a_message_that_was_open(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)
    for _ in range(4):
        post_message(session, owner)
    log.append_as(claim, [delta(message, 0, "slow")])

    page = log.open_last(session, messages=1)

    assert page.events[0].kind == "message.posted"
    assert str(claim.run) in page.span.body.decode()
    assert str(message) in page.span.body.decode()


def test_a_cold_start_of_a_short_session_is_whole(session: SessionId, owner: Author) -> None:
    post_message(session, owner)

    page = log.open_last(session, messages=50)

    assert (page.span.start, page.span.end, page.older) == (0, page.head, False)


def test_a_session_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        log.open_last(SessionId(uuid4()), messages=3)


def test_many_runs_are_written_in_one_statement_and_the_fenced_one_is_left_out(owner: Author) -> None:
    claims = [post_and_claim(sessions.create(by=owner, agent="script"), owner) for _ in range(3)]
    opened = [start_message(claim) for claim in claims]
    runs.cancel(claims[1].session, by=owner, client_id=new_client_id())

    spans = log.append_all(
        [Write(claim, [delta(m, 0, "a"), delta(m, 1, "b")]) for claim, m in zip(claims, opened, strict=True)]
    )

    assert [span is None for span in spans] == [False, True, False]
    assert [facts(claim.session)[-1] for claim in (claims[0], claims[2])] == [
        delta(opened[0], 0, "ab"),
        delta(opened[2], 0, "ab"),
    ]
    assert "message.delta" not in kinds(claims[1].session)


def test_two_writes_of_one_statement_share_a_session_in_their_order(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)

    spans = log.append_all(
        [Write(claim, [delta(message, 0, "a")]), Write(claim, [delta(message, 1, "b"), delta(message, 2, "c")])]
    )

    first, second = (span for span in spans if span is not None)
    assert (first.end, second.start, second.end) == (second.start, first.end, first.end + 2)
    assert [event.seq for event in log.read(session, after=first.start, limit=1).events] == [first.end]
    assert facts(session)[-1] == delta(message, 0, "abc")


def test_crossing_writes_of_many_workers_never_deadlock(owner: Author) -> None:
    claims = [post_and_claim(sessions.create(by=owner, agent="script"), owner) for _ in range(6)]
    opened = {claim.run: start_message(claim) for claim in claims}

    def written(of: list[Claim]) -> list[Span | None]:
        return log.append_all([Write(claim, [delta(opened[claim.run], 0, "x")]) for claim in of])

    outcomes = concurrently(*[partial(written, claims[n:] + claims[:n]) for n in range(6)] * 4)

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    for claim in claims:
        assert log.heads([claim.session])[claim.session].head == 7 + 24


def test_a_write_waits_for_a_cancel_under_way_and_is_refused(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)
    refused = threading.Event()

    def write() -> None:
        try:
            log.append_as(claim, [delta(message, 0, "late")])
        except Fenced:
            refused.set()
        finally:
            connection.close()

    writer = threading.Thread(target=write)
    with transaction.atomic():
        Run.objects.update(cancel_requested_at=Now())
        writer.start()
        until(lambda: somebody_waits() or not writer.is_alive())
    writer.join()

    assert refused.is_set()
    assert "message.delta" not in kinds(session)


def test_a_cold_start_never_cuts_a_message_that_was_completed_after_it(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)
    post_message(session, owner)
    log.append_as(claim, [delta(message, 0, "slow")])
    runs.finish(claim, RunCompleted())
    runs.cancel(session, by=owner, client_id=new_client_id())

    page = log.open_last(session, messages=1)

    assert (page.events[0].kind, str(message) in bytes(page.events[0].data).decode()) == ("message.started", True)
    assert page.older


@pytest.mark.parametrize(
    "text",
    ['"quotes"', "back\\slash \\n", "line\nbreak\ttab\x01\x7f", "{1,NULL,null}", "\u2028 \U0001f600 é", "'; --", "%s"],
)
def test_what_is_said_comes_back_as_it_was(session: SessionId, owner: Author, text: str) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)

    span = log.append_as(claim, [delta(message, 0, text), delta(message, len(text), text)])

    read = [decode_fact(event.kind, event.data) for event in log.read(session, after=span.start).events]
    assert [fact.text for fact in read if isinstance(fact, MessageDelta)] == [text + text]


def test_an_append_is_planned_once(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)
    for _ in range(10):
        log.append_as(claim, [delta(message, 0, "a")])

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(generic_plans) FROM pg_prepared_statements WHERE statement LIKE '%INSERT INTO event%'"
        )
        assert cursor.fetchone()[0] > 0


def test_a_deleted_session_is_not_read_any_more_while_its_rows_are_removed(session: SessionId, owner: Author) -> None:
    post_message(session, owner)
    Session.objects.filter(pk=session).update(deleted_at=Now())

    for read in (log.cold_start, log.open_last):
        with pytest.raises(NotFound):
            read(session, messages=5)
    with pytest.raises(NotFound):
        log.read(session, after=0)
