"""What the end of a Run, and a new attempt, do with what is open; and what a second Stop does."""

import pytest

from sessions_core import log
from sessions_core.models import Run
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import RunEnded
from sessions_core.protocol.events import (
    MessageCompleted,
    Part,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunRestarted,
    RunWaiting,
    ToolCalled,
    ToolFailed,
    ToolReturned,
)
from sessions_core.protocol.ids import MessageId, RunId, SessionId
from sessions_core.services import runs
from sessions_core.services.runs.end import CUT_OFF
from tests.db.acts import delta, facts, kinds, new_client_id, post_and_claim, start_message

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = "2000-01-01T00:00Z"
FAILED = RunFailed(code="provider", message="It broke.", retry=True)


def complete(claim: Claim, text: str) -> MessageId:
    message = start_message(claim)
    whole = MessageCompleted(message=message, parts=(Part("text", text),), state="complete")
    log.append_as(claim, [delta(message, 0, text), whole])
    return message


def crash(claim: Claim) -> Claim:
    Run.objects.update(lease_until=LONG_AGO)
    again = runs.claim(claim.session, claim.run, worker="w2")
    assert again is not None
    return again


def call(claim: Claim, name: str, message: MessageId) -> None:
    log.append_as(claim, [ToolCalled(call=name, name="look_up", input={}, message=message)])


def test_a_new_attempt_voids_only_what_is_open(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    complete(claim, "whole")
    half = start_message(claim)

    crash(claim)

    assert facts(session)[-1] == RunRestarted(attempt=2, voided=(half,))


def test_the_calls_of_a_voided_message_go_with_it(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    call(claim, "earlier", complete(claim, "whole"))
    half = start_message(claim)
    call(claim, "in-half", half)

    runs.finish(crash(claim), FAILED)

    restarted, failed, _ = facts(session)[-3:]
    assert restarted == RunRestarted(attempt=2, voided=(half,), voided_calls=("in-half",))
    assert isinstance(failed, ToolFailed)
    assert failed.call == "earlier"


def test_what_the_same_attempt_has_voided_is_not_completed_at_its_end(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    half = start_message(claim)
    log.append_as(claim, [RunRestarted(attempt=1, voided=(half,))])

    runs.finish(claim, FAILED)

    assert kinds(session)[-2:] == ["run.restarted", "run.failed"]


def test_nobody_knows_how_a_call_went_whose_run_has_ended(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    message = start_message(claim)
    call(claim, "done", message)
    log.append_as(claim, [ToolReturned(call="done", output=1, message=message)])
    call(claim, "open", message)
    runs.cancel(session, by=owner, client_id=new_client_id())

    runs.finish(claim, RunCompleted())

    failed, completed, ended = facts(session)[-3:]
    assert failed == ToolFailed(call="open", error=CUT_OFF, unknown=True, message=message)
    assert isinstance(completed, MessageCompleted)
    assert ended == RunCancelled()


def test_a_second_stop_does_nothing(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    first = runs.cancel(session, by=owner, client_id=new_client_id())

    second = runs.cancel(session, by=owner, client_id=new_client_id(), run_id=claim.run)

    assert (second.seq, second.runs) == (first.seq, first.runs)
    assert kinds(session).count("run.cancel_requested") == 1


def test_a_stop_that_comes_after_the_end_is_told_so(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    runs.finish(claim, RunCompleted())

    with pytest.raises(RunEnded):
        runs.cancel(session, by=owner, client_id=new_client_id(), run_id=claim.run)


def test_stop_reaches_what_a_waiting_run_has_started(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    child = Run.objects.create(session_id=session, parent_id=claim.run, agent="script", asked_seq=2)
    runs.park(claim, RunWaiting(on="children", runs=(RunId(child.pk),)))

    runs.cancel(session, by=owner, client_id=new_client_id(), run_id=claim.run)

    assert {*Run.objects.values_list("state", flat=True)} == {"cancelled"}
