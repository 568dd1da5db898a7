"""The database does with the Runs of a Session what the model says, whatever happens in whatever order."""

from copy import deepcopy
from itertools import permutations
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from pytest_django import Settings
from typing_extensions import override

from sessions_core.protocol.ids import ClientId
from tests.faults.promises import broken
from tests.faults.truth import Row as LogRow
from tests.faults.truth import Truth
from tests.model.abstract import Model
from tests.model.acts import KINDS, PEOPLE, SAYING, WORKERS, Act, Held, possible
from tests.support.random_input import many

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.hypothesis, pytest.mark.timeout(3600)]
ENOUGH = 200  # acts until all Runs of a Session have ended
WAYS = [
    *["one act"] * 4,
    *["two acts at once"] * 2,
    "a Run asks and waits",
    "two answers at once",
    "a command that is sent twice at once",
    "a claim at the same time",
    "a Stop, and what comes after it",
    "a command again",
]
AT_A_TURN = ("post", "retry", "edit", "withdraw", "cancel_all")
ASKED_TOGETHER = [("p", "q"), ("a",), ("a", "p", "q"), ("a", "b"), ("p",)]
ANSWERS = [("answer", "yes"), ("answer", "no"), ("decline", "")]
Call = tuple[Act, ClientId]
Pick = tuple[int, int]  # of a kind of act, and of one of this kind
PICK = st.tuples(st.integers(0, 999), st.integers(0, 99))


@pytest.fixture(autouse=True)
def _no_lease_lapses_by_itself(settings: Settings) -> None:
    settings.LEASE_S = 3600
    settings.RUN_DISPATCHER = "tests.support.quiet.QuietDispatcher"


def new_id() -> ClientId:
    return ClientId(uuid4())


class Runs(RuleBasedStateMachine):
    by: Any

    def __init__(self) -> None:
        super().__init__()
        from tests.model.real import Real

        self.real = Real(self.by)
        self.real.observe()
        self.model = Model(log=list(self.real.log), labels=self.real.labels)
        self.done: list[Call] = []
        self.chosen = 0
        self.count = 0  # of what needs a value of its own

    @initialize()
    def somebody_posts(self) -> None:
        self._do(Act("post", target="m1", word="queue"))

    @rule(way=st.sampled_from(WAYS), pick=PICK, other=PICK, at=st.integers(0, 9))
    def something_happens(self, way: str, pick: Pick, other: Pick, at: int) -> None:
        """One rule for all: of several, Hypothesis would leave some out of most examples. It draws the same whatever there is, so
        that Hypothesis can play its examples again.
        """
        model = self.model
        match way:
            case "two acts at once":
                self.two_acts_at_once(self._choose(pick), self._choose(other))
            case "a claim at the same time" if claimable := [*filter(model.is_claimable, model.active())]:
                run = max(claimable, key=lambda row: row.queued).run
                first = self._choose(pick, kinds=AT_A_TURN)
                if first is not None and first.name == "post":
                    first = first._replace(word="interrupt")  # the one policy by which it goes ahead
                self.two_acts_at_once(first, Act("claim", target=run))
            case "two answers at once" if is_open := model.open_asks():
                target, ways = is_open[at % len(is_open)].label, [*permutations(ANSWERS, 2)][at % 6]
                self.two_acts_at_once(*(Act(name, target=target, word=word) for name, word in ways))
            case "a Run asks and waits" if holding := [claim for claim in model.held if model.holds(claim)]:
                self.a_run_asks_and_waits(holding[at % len(holding)], ASKED_TOGETHER[pick[1] % len(ASKED_TOGETHER)], at)
            case "a Stop, and what comes after it" if at_work := model.at_work():
                self._do(Act("cancel", target=at_work[0].run))
                self._do(self._choose(pick))
            case "a command that is sent twice at once" if act := self._choose(pick, kinds=PEOPLE):
                self.a_command_that_is_sent_twice_at_once(act)
            case "a command again" if self.done:
                self.a_command_again(at)
            case _:
                self._do(self._choose(pick))

    def a_run_asks_and_waits(self, claim: Held, keys: tuple[str, ...], at: int) -> None:
        for key in keys:
            self._do(Act("ask", by=claim, key=key))
        self._do(self._sensible(Act("park", by=claim, word="ask" if at % 3 else "all")))
        if at % 2 and (label := f"{claim.run}?{keys[0]}") in self.model.asks:
            self._do(Act("answer", target=label, word="yes"))

    def two_acts_at_once(self, first: Act | None, second: Act | None) -> None:
        if first is None or second is None:
            return
        if "sweep" in {first.name, second.name}:
            return  # it skips what another holds, and ends it the next time
        if first.by == second.by and first.by is not None and {first.name, second.name} <= {*WORKERS}:
            return  # an agent does one thing after the other
        if second.name == "post" == first.name:
            second = second._replace(target=f"{second.target}b")
        calls = [(first, new_id()), (second, new_id())]
        self._compare(calls, self.real.at_once(*calls))

    def a_command_that_is_sent_twice_at_once(self, act: Act) -> None:
        call, before = (act, new_id()), len(self.model.done)
        one, other = self.real.at_once(call, call)
        self._compare([call], [one])
        assert other == one or len(self.model.done) == before  # what had no effect may be refused the second time

    def a_command_again(self, which: int) -> None:
        """As after an answer that was lost, one of the newest: it says the same, and nothing happens."""
        at = max(0, len(self.done) - 1 - which)
        (act, client_id), said = self.done[at], self.model.done[at]
        assert self.real.labels.of(self.real.do(act, client_id)) == said
        assert not self._differences(self.model, [], [])

    @override
    def teardown(self) -> None:
        self._end_all()
        self._keeps_its_promises()
        self.real.delete()

    def _do(self, act: Act | None) -> None:
        if act is None:
            return
        call = (act, new_id())
        self._compare([call], [self.real.do(*call)])

    def _choose(self, pick: Pick, kinds: tuple[str, ...] = KINDS) -> Act | None:
        """Returns an act that somebody might do now. Four times in five it has an effect, if there is such a one."""
        kind, at = pick
        self.chosen += 7
        kind += self.chosen  # so that the many examples of Hypothesis that are mostly zeros have different acts, too
        model = self.model
        rows, asks = [*model.rows.values()], [*model.asks.values()]
        acts = {each: possible(each, rows, model.held, model.posts, asks) for each in {*kinds}}
        if at % 5:
            effective = {each: [act for act in of_kind if model.has_effect(act)] for each, of_kind in acts.items()}
            acts = effective if any(effective.values()) else acts
        found = [each for each in kinds if acts[each]]
        if not found:
            return None
        of_kind = acts[found[kind % len(found)]]
        return self._sensible(of_kind[at % len(of_kind)])

    def _sensible(self, act: Act) -> Act | None:
        """Returns the act as an agent of ours does it, with what it knows; None where it does not do it."""
        model = self.model
        if act.name in SAYING:
            assert act.by is not None
            message, new = model.message_of(act.by)
            return act._replace(target=message, new=new)
        if act.name in {"begin", "keep"}:
            assert act.by is not None
            self.count += 1
            is_kept = model.steps.get((act.by.run, act.key)) is not None
            return None if is_kept else act._replace(word=f"result {self.count}")
        if act.name == "signal":
            self.count += 1
            return act._replace(key=f"signal {self.count}")
        if act.name == "park" and act.word in {"ask", "all"}:
            assert act.by is not None
            return act._replace(on=tuple(ask.label for ask in model.asks_of(act.by.run)))
        return act

    def _compare(self, calls: list[Call], said: list[object]) -> None:
        """The model must explain what came of the acts, in one order of them."""
        self.real.observe()
        found = [self.real.labels.of(each) for each in said]
        tried = []
        for order in permutations(range(len(calls))):
            model, done, answers = deepcopy(self.model), [*self.done], dict[int, object]()
            for n in order:
                answers[n] = model.do(calls[n][0])
                done += [calls[n]] * (len(model.done) - len(done))
            if differs := self._differences(model, [answers[n] for n in range(len(calls))], found):
                tried.append(f"{[calls[n][0] for n in order]}: {differs}")
            else:
                self.model, self.done = model, done
                return
        raise AssertionError("\n".join(tried))

    def _differences(self, model: Model, expected: list[object], found: list[object]) -> list[str]:
        pairs = {
            "answer": (expected, found),
            "log": (model.log, self.real.log),
            "rows": (model.rows, self.real.rows()),
            "paused": (model.paused_at, self.real.paused_at()),
            "queue": ({*model.queue}, self.real.queue()),
            "asks": (model.asks, self.real.asks()),
            "steers": (model.steers, self.real.steers()),
            "signals": (model.signals, self.real.signals()),
            "steps": (model.steps, self.real.steps()),
        }
        return [f"{name}: the model has\n  {a}\nthe database\n  {b}" for name, (a, b) in pairs.items() if a != b]

    def _end_all(self) -> None:
        """P8: with a worker that works and time that passes, every Run comes to its end."""
        for _ in range(ENOUGH):
            active = self.model.active()
            if not active:
                return
            row = next((row for row in active if row.state != "requested"), None)
            if row is None:
                due = next((row for row in active if self.model.is_claimable(row)), None)
                self._do(Act("claim", target=due.run) if due else Act("resume_queue"))
            elif row.state == "waiting":
                self._do(Act("claim", target=row.run))  # too early, unless something has come already
                self._do(Act("come", target=row.run))
                self._do(Act("claim", target=row.run))
            elif holder := [claim for claim in self.model.held if (claim.run, claim.fence) == (row.run, row.fence)]:
                self._do(Act("finish", by=holder[-1], word="completed"))
            else:
                self._do(Act("lapse", target=row.run))
                self._do(Act("sweep"))
                self._do(Act("claim", target=row.run))
        raise AssertionError(f"not ended: {self.model.active()}")

    def _keeps_its_promises(self) -> None:
        from sessions_core.models import Event

        events = Event.objects.filter(session_id=self.real.session).order_by("seq")
        rows = [
            LogRow(
                seq=event.seq,
                kind=event.kind,
                run=str(event.run_id) if event.run_id else None,
                client=str(event.client_id) if event.client_id else None,
                data=event.data,
            )
            for event in events
        ]
        assert not broken(Truth(str(self.real.session), len(self.real.log), rows), [])


def test_the_database_does_what_the_model_says(alice: "User") -> None:
    from sessions_core.services.dispatch import dispatcher
    from tests.db.acts import author

    dispatcher.cache_clear()
    machine = type("Machine", (Runs,), {"by": author(alice)})
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=many(20), stateful_step_count=30, deadline=None, suppress_health_check=checks),
    )
