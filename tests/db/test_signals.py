"""A signal reaches exactly one wait of its Run, also when it came before the wait."""

from functools import partial
from typing import TYPE_CHECKING

import pytest

from sessions_core.models import Signal
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import BadField, Fenced, LimitReached, NotFound, RunEnded, TooLarge
from sessions_core.protocol.events import RunCompleted, RunWaiting, SignalReceived
from sessions_core.protocol.ids import RunId, SessionId, new_run
from sessions_core.services import asks, runs, sessions, signals
from tests.db.acts import author, concurrently, facts, kinds, new_client_id, post_and_claim

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def send(session: SessionId, run: RunId, by: Author, value: object = None, name: str = "paid") -> signals.Received:
    return signals.send(session, run, name, by=by, client_id=new_client_id(), value=value)


def take(claim: Claim, key: str = "signal-1", name: str = "paid") -> object:
    taken = signals.take(claim, name, key)
    return None if taken is None else taken.value


def test_an_early_signal_is_kept(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    send(session, claim.run, owner, {"sum": 5})

    assert take(claim, name="sent") is None
    assert take(claim) == {"sum": 5}
    assert SignalReceived(name="paid", value={"sum": 5}, by=str(owner.user)) in facts(session)


def test_each_wait_takes_another_signal_and_the_same_one_again(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    for value in (1, 2):
        send(session, claim.run, owner, value)

    taken = [take(claim, key) for key in ("signal-1", "signal-2", "signal-1", "signal-2", "signal-3")]

    assert taken == [1, 2, 1, 2, None]


def test_of_two_waits_at_once_one_takes_it(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    send(session, claim.run, owner, "once")

    taken = concurrently(partial(take, claim, "signal-1"), partial(take, claim, "signal-2"))

    assert sorted(map(str, taken)) == ["None", "once"]


def test_a_signal_lets_the_run_go_on_that_waits_for_it(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    runs.park(claim, RunWaiting(on="signal", signal="paid"))

    send(session, claim.run, owner, name="sent")
    assert runs.claim(session, claim.run, worker="w2") is None
    send(session, claim.run, owner)

    assert runs.claim(session, claim.run, worker="w2") is not None


@pytest.mark.parametrize("name", ["paid", "sent"])
def test_any_signal_that_it_waits_for_lets_the_run_go_on(session: SessionId, owner: Author, name: str) -> None:
    claim = post_and_claim(session, owner)
    runs.park(claim, RunWaiting(on="signal", signal="paid", signals=("paid", "sent")))

    send(session, claim.run, owner, name=name)

    assert runs.claim(session, claim.run, worker="w2") is not None


def test_a_signal_lets_a_run_go_on_that_asks_besides(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    ask = asks.open_ask(claim, "ask-1", title="Go on?", kind="choice", schema={"enum": ["yes"]}).ask
    runs.park(claim, RunWaiting(on="ask", ask=ask, signal="paid"))

    send(session, claim.run, owner)

    assert runs.claim(session, claim.run, worker="w2") is not None


def test_a_signal_while_the_run_begins_to_wait_is_not_lost(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)

    concurrently(
        partial(runs.park, claim, RunWaiting(on="signal", signal="paid")), partial(send, session, claim.run, owner)
    )

    assert runs.claim(session, claim.run, worker="w2") is not None


def test_a_repeated_signal_is_received_once(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    give = partial(signals.send, session, claim.run, "paid", by=owner, client_id=new_client_id(), value=1)

    outcomes = concurrently(give, give, give)

    assert sorted(each.repeated for each in outcomes if isinstance(each, signals.Received)) == [False, True, True]
    assert kinds(session).count("signal.received") == Signal.objects.count() == 1


def test_a_run_that_has_ended_takes_no_signal(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    runs.finish(claim, RunCompleted())

    with pytest.raises(RunEnded):
        send(session, claim.run, owner)


def test_whoever_lost_the_run_takes_no_signal(session: SessionId, owner: Author) -> None:
    claim = post_and_claim(session, owner)
    send(session, claim.run, owner)
    runs.park(claim, RunWaiting(on="signal", signal="paid"))

    with pytest.raises(Fenced):
        take(claim)


def test_signals_are_bounded_in_size_and_number(
    session: SessionId, owner: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = post_and_claim(session, owner)
    monkeypatch.setattr(signals, "SIGNALS_OF_A_RUN", 1)
    send(session, claim.run, owner)

    with pytest.raises(LimitReached):
        send(session, claim.run, owner)
    with pytest.raises(TooLarge):
        send(session, claim.run, owner, "x" * 100_000)
    with pytest.raises(TooLarge):
        send(session, claim.run, owner, name="x" * (signals.NAME_CHARACTERS + 1))
    with pytest.raises(BadField):
        send(session, claim.run, owner, name="\0")


def test_a_stranger_and_another_session_reach_no_run(session: SessionId, owner: Author, mallory: "User") -> None:
    claim = post_and_claim(session, owner)
    other = sessions.create(by=owner, agent="script")

    for reach in (
        partial(send, session, claim.run, author(mallory)),
        partial(send, other, claim.run, owner),
        partial(send, session, new_run(), owner),
    ):
        with pytest.raises(NotFound):
            reach()
    assert not Signal.objects.exists()
