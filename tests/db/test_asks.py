"""The first answer to a question counts, of those who may give it, and lets the Run go on. What nobody answers ends by itself."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import UNSET

from sessions_core.models import Ask, Run, Session
from sessions_core.protocol import clock
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import (
    AskClosed,
    AskForbidden,
    BadAnswer,
    BadField,
    Fenced,
    LimitReached,
    NotFound,
    ReadOnly,
)
from sessions_core.protocol.events import AskAnswered, AskOpened, Part, Responders, RunCompleted, RunWaiting
from sessions_core.protocol.events import AskClosed as ClosedFact
from sessions_core.protocol.ids import AskId, SessionId
from sessions_core.services import asks, messages, runs, sessions
from tests.db.acts import author, concurrently, facts, kinds, new_client_id, post_and_claim

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)

YES_OR_NO = {"enum": ["yes", "no"]}


def open_ask(claim: Claim, key: str = "ask-1", **more: Any) -> AskId:  # noqa: ANN401  # what the act takes
    return asks.open_ask(claim, key, **{"title": "Go on?", "kind": "choice", "schema": YES_OR_NO, **more}).ask


def park_on(claim: Claim, *waited: AskId) -> None:
    runs.park(claim, RunWaiting(on="ask", ask=waited[0], asks=waited if len(waited) > 1 else UNSET))


def ask_and_park(session: SessionId, by: Author, **more: Any) -> tuple[Claim, AskId]:  # noqa: ANN401  # what the act takes
    claim = post_and_claim(session, by)
    ask = open_ask(claim, **more)
    park_on(claim, ask)
    return claim, ask


def answer(session: SessionId, ask: AskId, by: Author, value: object = "yes") -> int:
    return asks.answer(session, ask, by=by, client_id=new_client_id(), value=value).seq


def goes_on(claim: Claim) -> bool:
    return runs.claim(claim.session, claim.run, worker="w2") is not None


def add(session: SessionId, user: "User", role: str) -> Author:
    Session.objects.get(pk=session).participants.create(user=user, role=role)
    return author(user)


def closed(session: SessionId) -> list[ClosedFact]:
    return [fact for fact in facts(session) if isinstance(fact, ClosedFact)]


def test_an_answer_lets_the_run_go_on(session: SessionId, owner: Author) -> None:
    claim, ask = ask_and_park(session, owner)
    assert not goes_on(claim)

    answer(session, ask, owner)

    resumed = runs.claim(session, claim.run, worker="w2")
    assert resumed is not None
    outcome = asks.open_ask(resumed, "ask-1", title="Go on?", kind="choice", schema=YES_OR_NO)
    assert (outcome.ask, outcome.state, outcome.value) == (ask, "answered", "yes")
    assert AskAnswered(ask=ask, value="yes", by=str(owner.user), device=owner.device_text) in facts(session)


def test_a_question_is_opened_once_under_its_key(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)

    assert open_ask(claim) == open_ask(claim) != open_ask(claim, "ask-2")
    assert [fact.title for fact in facts(session) if isinstance(fact, AskOpened)] == ["Go on?", "Go on?"]


def test_whoever_lost_the_run_asks_nothing(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    Run.objects.update(lease_until="2000-01-01T00:00Z")
    runs.claim(session, claim.run, worker="w2")

    with pytest.raises(Fenced):
        open_ask(claim)


def test_a_stopped_run_asks_nothing(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    runs.cancel(session, by=owner, client_id=new_client_id(), run_id=claim.run)

    with pytest.raises(Fenced):
        open_ask(claim)


def test_a_schema_that_is_none_is_told_to_the_agent(session: SessionId, owner: Author) -> None:
    with pytest.raises(BadField):
        open_ask(post_and_claim(session, owner), schema={"type": "text"})
    assert not Ask.objects.exists()


def test_a_title_is_repaired_and_shortened(session: SessionId, owner: Author) -> None:
    open_ask(post_and_claim(session, owner), title="a\0" + "x" * 1000)

    title = Ask.objects.get().title
    assert (len(title), title[:3]) == (asks.TITLE_CHARACTERS, "a\ufffdx")


def test_of_two_answers_at_once_one_counts(session: SessionId, owner: Author, bob: "User") -> None:
    claim, ask = ask_and_park(session, owner)
    other = add(session, bob, "editor")

    outcomes = concurrently(*[partial(answer, session, ask, by) for by in (owner, other, owner, other)])

    assert [type(outcome) for outcome in outcomes].count(AskClosed) == 3
    assert kinds(session).count("ask.answered") == 1
    assert goes_on(claim)


def test_an_answer_and_the_end_of_its_time_exclude_each_other(session: SessionId, owner: Author) -> None:
    _, ask = ask_and_park(session, owner, expires_at=clock.now() - timedelta(seconds=1))

    concurrently(partial(answer, session, ask, owner), asks.expire, asks.expire)

    assert len([kind for kind in kinds(session) if kind in {"ask.answered", "ask.closed"}]) == 1


def test_an_answer_and_a_stop_exclude_each_other(session: SessionId, owner: Author) -> None:
    claim, ask = ask_and_park(session, owner)

    concurrently(
        partial(answer, session, ask, owner),
        partial(runs.cancel, session, by=owner, client_id=new_client_id(), run_id=claim.run),
    )

    assert len([kind for kind in kinds(session) if kind in {"ask.answered", "ask.closed"}]) == 1


def test_a_repeated_answer_gets_the_first_response(session: SessionId, owner: Author) -> None:
    _, ask = ask_and_park(session, owner)
    give = partial(asks.answer, session, ask, by=owner, client_id=new_client_id(), value="yes")

    first, again = give(), give()

    assert (again.seq, first.repeated, again.repeated) == (first.seq, False, True)
    assert kinds(session).count("ask.answered") == 1


def test_who_comes_later_is_told_who_has_answered(session: SessionId, owner: Author) -> None:
    _, ask = ask_and_park(session, owner)
    answer(session, ask, owner)

    with pytest.raises(AskClosed, match="has answered this question already"):
        answer(session, ask, owner, "no")


def test_a_wrong_answer_leaves_the_question_open(session: SessionId, owner: Author) -> None:
    claim, ask = ask_and_park(session, owner)

    with pytest.raises(BadAnswer) as refused:
        answer(session, ask, owner, "perhaps")

    assert refused.value.fields == {"": "This is none of the choices."}
    assert not goes_on(claim)
    answer(session, ask, owner)


def test_a_viewer_answers_only_where_named(session: SessionId, owner: Author, bob: "User") -> None:
    viewer = add(session, bob, "viewer")
    claim = post_and_claim(session, owner)
    usual, for_viewers = open_ask(claim), open_ask(claim, "ask-2", responders=Responders(roles=("viewer",)))
    for_bob = open_ask(claim, "ask-3", responders=Responders(users=(str(bob.pk),)))

    with pytest.raises(AskForbidden):
        answer(session, usual, viewer)
    answer(session, for_viewers, viewer)
    with pytest.raises(AskForbidden):
        answer(session, for_bob, owner)
    answer(session, for_bob, viewer)


def test_a_stranger_learns_nothing(session: SessionId, owner: Author, mallory: "User") -> None:
    _, ask = ask_and_park(session, owner, responders=Responders(users=(str(mallory.pk),)))

    for act in (
        partial(answer, session, ask, author(mallory)),
        partial(asks.open_in, session, user=author(mallory).user),
    ):
        with pytest.raises(NotFound, match="no such conversation"):
            act()


def test_a_question_of_another_session_is_not_there(session: SessionId, owner: Author) -> None:
    _, ask = ask_and_park(session, owner)
    other = sessions.create(by=owner, agent="script")

    with pytest.raises(NotFound):
        answer(other, ask, owner)
    assert asks.open_in(other, user=owner.user) == []


def test_in_an_archived_session_nothing_is_answered(session: SessionId, owner: Author) -> None:
    _, ask = ask_and_park(session, owner)
    Session.objects.update(archived_at=clock.now())

    with pytest.raises(ReadOnly):
        answer(session, ask, owner)


def test_who_declines_lets_the_run_go_on_without_an_answer(session: SessionId, owner: Author) -> None:
    claim, ask = ask_and_park(session, owner)

    asks.decline(session, ask, by=owner, client_id=new_client_id())

    assert closed(session) == [ClosedFact(ask=ask, reason="declined")]
    assert goes_on(claim)


def test_a_question_whose_time_is_over_is_closed_once(session: SessionId, owner: Author) -> None:
    claim, ask = ask_and_park(session, owner, expires_at=clock.now() - timedelta(seconds=1))

    concurrently(asks.expire, asks.expire)

    assert closed(session) == [ClosedFact(ask=ask, reason="expired")]
    assert goes_on(claim)
    with pytest.raises(AskClosed, match="time for this question is over"):
        answer(session, ask, owner)


@pytest.mark.parametrize("act", [partial(asks.answer, value="yes"), asks.decline])
def test_an_answer_after_its_time_closes_the_question_as_expired(
    session: SessionId, owner: Author, act: Callable[..., asks.Answered]
) -> None:
    claim, ask = ask_and_park(session, owner, expires_at=clock.now() - timedelta(seconds=1))

    with pytest.raises(AskClosed, match="time for this question is over"):
        act(session, ask, by=owner, client_id=new_client_id())

    assert closed(session) == [ClosedFact(ask=ask, reason="expired")]
    assert goes_on(claim)


def test_a_message_after_its_time_is_no_answer_to_a_question(session: SessionId, owner: Author) -> None:
    ask_and_park(session, owner, expires_at=clock.now() - timedelta(seconds=1))

    posted = messages.post(session, by=owner, client_id=new_client_id(), parts=[Part(type="text", text="Hm")])

    assert (posted.outcome, closed(session)) == ("queued", [])


def test_a_run_has_so_many_open_questions(session: SessionId, owner: Author, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = post_and_claim(session, owner)
    monkeypatch.setattr(asks, "OPEN_ASKS", 2)
    first, again = open_ask(claim), open_ask(claim, "ask-2")

    with pytest.raises(LimitReached):
        open_ask(claim, "ask-3")
    assert open_ask(claim, "ask-2") == again  # in a later attempt, too

    answer(session, first, owner)
    open_ask(claim, "ask-3")


def test_before_its_time_nothing_expires(session: SessionId, owner: Author) -> None:
    ask_and_park(session, owner, expires_at=clock.now() + timedelta(hours=1))

    asks.expire()

    assert closed(session) == []


def test_a_message_instead_closes_what_its_author_may_answer(session: SessionId, owner: Author, bob: "User") -> None:
    other = add(session, bob, "editor")
    claim = post_and_claim(session, owner)
    first = open_ask(claim)
    open_ask(claim, "ask-2", responders=Responders(users=(str(owner.user),)))
    park_on(claim, first)

    message = messages.post(
        session, by=other, client_id=new_client_id(), parts=[Part(type="text", text="Wait")]
    ).message

    assert closed(session) == [ClosedFact(ask=first, reason="declined", message=message)]
    assert goes_on(claim)


def test_the_end_of_a_run_closes_its_questions_before(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    ask = open_ask(claim)

    runs.finish(claim, RunCompleted())

    assert kinds(session)[-2:] == ["ask.closed", "run.completed"]
    assert closed(session) == [ClosedFact(ask=ask, reason="run_ended")]


def test_a_run_goes_on_when_one_of_its_questions_is_closed(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    first, second = open_ask(claim), open_ask(claim, "ask-2")
    park_on(claim, first, second)
    assert not goes_on(claim)

    asks.decline(session, second, by=owner, client_id=new_client_id())

    assert goes_on(claim)


def test_the_approvals_of_a_response_are_decided_together(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    calls = [open_ask(claim, f"tool-1.{n}-ask", kind="approval", schema={}) for n in range(2)]
    park_on(claim, *calls)

    answer(session, calls[0], owner, {"approve": True})
    assert not goes_on(claim)
    asks.decline(session, calls[1], by=owner, client_id=new_client_id())
    assert goes_on(claim)


def test_a_question_beside_approvals_waits_for_none_of_them(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    question, call = open_ask(claim), open_ask(claim, "tool-1.1-ask", kind="approval", schema={})
    park_on(claim, call, question)

    answer(session, question, owner)

    assert goes_on(claim)


def test_a_question_that_the_agent_left_open_holds_nothing_up(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    left, awaited = open_ask(claim), open_ask(claim, "ask-2")
    park_on(claim, awaited)

    answer(session, awaited, owner)

    assert goes_on(claim)
    assert [row["id"] for row in asks.open_in(session, user=owner.user)] == [left]
