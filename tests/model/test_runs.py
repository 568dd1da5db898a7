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
from tests.model.acts import KINDS, PEOPLE, Act, possible
from tests.model.settled import settled
from tests.support.random_input import many

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.hypothesis, pytest.mark.timeout(3600)]
ENOUGH = 200  # acts until all Runs of a Session have ended
SAYING = {"write", "complete"}
Call = tuple[Act, ClientId]


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
        self.model = Model(log=list(self.real.log))
        self.done: list[Call] = []

    @initialize()
    def somebody_posts(self) -> None:
        self._do(Act("post", target="m1", word="queue"))

    @rule(data=st.data())
    def one_act(self, data: st.DataObject) -> None:
        act = self._draw(data, "act")
        if act is not None:
            self._do(act)

    @rule(data=st.data())
    def two_acts_at_once(self, data: st.DataObject) -> None:
        first, second = self._draw(data, "first"), self._draw(data, "second")
        if first is None or second is None:
            return
        if "sweep" in {first.name, second.name}:
            return  # it skips what another holds, and ends it the next time
        if first.by == second.by and {first.name, second.name} <= SAYING:
            return  # a worker says one thing after the other
        if second.name == "post" == first.name:
            second = second._replace(target=f"{second.target}b")
        calls = [(first, new_id()), (second, new_id())]
        self._compare(calls, self.real.at_once(*calls))

    @rule(data=st.data())
    def a_command_that_is_sent_twice_at_once(self, data: st.DataObject) -> None:
        act = self._draw(data, "command", kinds=PEOPLE)
        if act is None:
            return
        call, before = (act, new_id()), len(self.model.done)
        one, other = self.real.at_once(call, call)
        self._compare([call], [one])
        assert other == one or len(self.model.done) == before  # what had no effect may be refused the second time

    @rule()
    def the_last_command_again(self) -> None:
        """As after an answer that was lost: it says the same, and nothing happens."""
        if not self.done:
            return
        (act, client_id), said = self.done[-1], self.model.done[-1]
        assert self.real.labels.of(self.real.do(act, client_id)) == said
        assert not self._differences(self.model, [], [])

    @override
    def teardown(self) -> None:
        self._end_all()
        self._keeps_its_promises()
        self.real.delete()

    def _do(self, act: Act) -> None:
        call = (act, new_id())
        self._compare([call], [self.real.do(*call)])

    def _draw(self, data: st.DataObject, name: str, kinds: tuple[str, ...] = KINDS) -> Act | None:
        model = self.model
        # The draws are the same whatever there is, so that Hypothesis can play them again.
        kind, at = data.draw(st.tuples(st.sampled_from(kinds), st.integers(0, 99)), label=name)
        acts = possible(kind, [*model.rows.values()], [*reversed(model.held)], model.posts)
        if not acts:
            return None
        act = acts[at % len(acts)]
        if act.name in SAYING:
            assert act.by is not None
            message, new = model.message_of(act.by)
            act = act._replace(target=message, new=new)
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
            "log": (settled(model.log), settled(self.real.log)),
            "rows": (model.rows, self.real.rows()),
            "paused": (model.paused_at, self.real.paused_at()),
        }
        return [f"{name}: the model has\n  {a}\nthe database\n  {b}" for name, (a, b) in pairs.items() if a != b]

    def _end_all(self) -> None:
        """P8: with a worker that works and time that passes, every Run comes to its end."""
        for _ in range(ENOUGH):
            row = next((row for row in self.model.rows.values() if row.state in {"running", "waiting"}), None)
            if self.model.paused_at and self.model.queue:
                self._do(Act("resume_queue"))
            elif row is None:
                waiting = [row for row in self.model.rows.values() if row.state == "requested"]
                if not waiting:
                    return
                for each in waiting:
                    self._do(Act("claim", target=each.run))
            elif row.state == "waiting":
                self._do(Act("come", target=row.run))
                self._do(Act("claim", target=row.run))
            elif holder := [claim for claim in self.model.held if (claim.run, claim.fence) == (row.run, row.fence)]:
                self._do(Act("finish", by=holder[-1], word="completed"))
            else:
                self._do(Act("lapse", target=row.run))
                self._do(Act("sweep"))
                self._do(Act("claim", target=row.run))
        raise AssertionError(f"not ended: {[row for row in self.model.rows.values() if row.state == 'running']}")

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
