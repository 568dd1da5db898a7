"""The same acts on the services and the tables behind them, and what is in the database after them, in the model's words."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import connection, transaction
from django.db.models.functions import Now

from agents.sdk.waits import Waiting, fact_of
from sessions_core import log
from sessions_core.models import Ask, Event, QueuedMessage, Run, Session, Signal, Steer, Step
from sessions_core.protocol import clock
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import Fenced, Refusal
from sessions_core.protocol.events import Fact as LogFact
from sessions_core.protocol.events import (
    MessageCompleted,
    MessageDelta,
    MessageStarted,
    Part,
    RunCompleted,
    RunFailed,
    RunOutcome,
)
from sessions_core.protocol.ids import AskId, ClientId, MessageId, RunId, new_message
from sessions_core.services import asks, messages, runs, sessions, signals, steps, waiting
from sessions_core.services.steps import NewStep
from tests.model.acts import APPROVALS, STEPS, Act, Fact, Given, Held, Row
from tests.model.acts import Ask as ModelAsk
from tests.model.labels import Labels
from tests.support.waiting import DEADLINE_S

PIECE = "word "
LONG = timedelta(hours=1)
FAILED = RunFailed(code="agent_error", message="It failed.", retry=True)
VALUES: Final[dict[str, object]] = {"yes": {"approve": True}, "no": {"approve": False}, "bad": "bad"}  # of an approval
ANSWERS: Final = {repr(value): word for word, value in [("yes", "yes"), ("no", "no"), *VALUES.items()]}
_WAITING = """
    SELECT count(DISTINCT waiting.pid) FROM pg_locks waiting JOIN pg_stat_activity USING (pid)
    WHERE NOT waiting.granted AND datname = current_database()
"""


class Real:
    """A Session of its own, with labels for all that it holds."""

    def __init__(self, by: Author) -> None:
        self.by = by
        self.session = sessions.create(by=by, agent="script", title="Checked")
        self.log: list[Fact] = []
        self.labels = Labels()
        self._claims: dict[Held, Claim] = {}

    def do(self, act: Act, client_id: ClientId) -> object:
        """Does it; returns what it says."""
        try:
            said: object = getattr(self, f"_{act.name}")(act, client_id)
        except Fenced:
            return "fenced"
        except Refusal as refusal:
            return refusal.code
        return said

    def at_once(self, *calls: tuple[Act, ClientId]) -> list[object]:
        """Begins the acts one after the other while the Session's row is locked, so that each has got as far as it can, and then
        lets all go on.
        """
        with ThreadPoolExecutor(len(calls)) as pool:
            with transaction.atomic():
                Session.objects.select_for_update(no_key=True).get(pk=self.session)
                futures: list[Future[object]] = []
                for act, client_id in calls:
                    futures.append(pool.submit(self._apart, act, client_id))
                    _until_all_wait(futures)
            return [future.result() for future in futures]

    def observe(self) -> None:
        """Reads what the log has got, and gives everything new its label."""
        events = Event.objects.filter(session_id=self.session, seq__gt=len(self.log)).order_by("seq")
        for event in events:
            assert event.seq == len(self.log) + 1, f"seq {event.seq} follows {len(self.log)}"
            if event.kind == "ask.opened":
                ask = Ask.objects.get(pk=event.data["ask"])
                self.labels.name(f"{self.labels.of(ask.run_id)}?{ask.key}", ask.pk)
            self.log.append(self.labels.fact(event))

    def rows(self) -> dict[str, Row]:
        found = Run.objects.filter(session_id=self.session).annotate(now=Now()).order_by("asked_seq")
        return {self.labels.of(run.pk): self._row(run) for run in found}

    def asks(self) -> dict[str, ModelAsk]:
        """Returns the questions, those whose time is over counted in the order in which it was."""
        found = [*Ask.objects.filter(session_id=self.session).annotate(now=Now()).order_by("opened_at")]
        ends = sorted(ask.expires_at for ask in found if ask.expires_at and ask.expires_at < ask.now)
        return {
            self.labels.of(ask.pk): ModelAsk(
                self.labels.of(ask.pk),
                self.labels.of(ask.run_id),
                ask.end or (ANSWERS[repr(ask.value)] if ask.state == "answered" else ask.state),
                ends.index(ask.expires_at) + 1 if ask.expires_at in ends else 0,
            )
            for ask in found
        }

    def steers(self) -> list[Given]:
        found = Steer.objects.filter(session_id=self.session).order_by("posted_seq")
        of = self.labels.of
        return [Given(of(steer.run_id), of(steer.message), taken_by=steer.consumed_by) for steer in found]

    def signals(self) -> list[Given]:
        found = Signal.objects.filter(session_id=self.session).order_by("received_seq")
        of = self.labels.of
        return [Given(of(signal.run_id), signal.name, str(signal.value), signal.consumed_by) for signal in found]

    def steps(self) -> dict[tuple[str, str], str | None]:
        found = Step.objects.filter(session_id=self.session)
        return {(self.labels.of(step.run_id), step.key): step.result for step in found}

    def queue(self) -> set[str]:
        return {
            self.labels.of(run)
            for run in QueuedMessage.objects.filter(session_id=self.session).values_list("run_id", flat=True)
        }

    def paused_at(self) -> int:
        return Session.objects.values_list("queue_paused_seq", flat=True).get(pk=self.session) or 0

    def delete(self) -> None:
        Session.objects.filter(pk=self.session).delete()

    # What people do

    def _post(self, act: Act, client_id: ClientId) -> object:
        part = Part(type="text", text=act.target)
        policy: Any = act.word
        posted = messages.post(self.session, by=self.by, client_id=client_id, parts=[part], policy=policy)
        return (posted.outcome, posted.run)

    def _retry(self, act: Act, client_id: ClientId) -> object:
        return runs.retry(self.session, by=self.by, client_id=client_id, run_id=self._run(act.target)).run

    def _cancel(self, act: Act, client_id: ClientId) -> object:
        run = self._run(act.target)
        return set(runs.cancel(self.session, by=self.by, client_id=client_id, run_id=run).runs)

    def _cancel_all(self, _: Act, client_id: ClientId) -> object:
        return set(runs.cancel(self.session, by=self.by, client_id=client_id).runs)

    def _edit(self, act: Act, client_id: ClientId) -> object:
        part = Part(type="text", text=f"{act.target} again")
        message = MessageId(self.labels.id(act.target))
        messages.edit_queued(self.session, by=self.by, client_id=client_id, message=message, parts=[part])
        return None

    def _withdraw(self, act: Act, client_id: ClientId) -> object:
        runs.withdraw(self.session, by=self.by, client_id=client_id, message=MessageId(self.labels.id(act.target)))
        return None

    def _resume_queue(self, _: Act, client_id: ClientId) -> object:
        runs.resume_queue(self.session, by=self.by, client_id=client_id)
        return None

    def _answer(self, act: Act, client_id: ClientId) -> object:
        is_approval = act.target.rpartition("?")[2] in APPROVALS
        value = VALUES[act.word] if is_approval else act.word
        asks.answer(self.session, self._ask_id(act), by=self.by, client_id=client_id, value=value)
        return "answered"

    def _decline(self, act: Act, client_id: ClientId) -> object:
        asks.decline(self.session, self._ask_id(act), by=self.by, client_id=client_id)
        return "declined"

    def _signal(self, act: Act, client_id: ClientId) -> object:
        run = self._run(act.target)
        signals.send(self.session, run, act.word, by=self.by, client_id=client_id, value=act.key)
        return "received"

    # What workers do

    def _claim(self, act: Act, _: ClientId) -> object:
        claim = runs.claim(self.session, self._run(act.target), worker="w1")
        if claim is None:
            return None
        held = Held(act.target, claim.fence, claim.attempt)
        self._claims[held] = claim
        return held

    def _write(self, act: Act, _: ClientId) -> object:
        return self._say(act, complete=False)

    def _complete(self, act: Act, _: ClientId) -> object:
        return self._say(act, complete=True)

    def _say(self, act: Act, *, complete: bool) -> object:
        claim, label = self._own(act), act.target
        if not self.labels.knows(label):
            self.labels.name(label, new_message())
        message, facts = MessageId(self.labels.id(label)), list[LogFact]()
        if act.new:
            facts.append(MessageStarted(message=message, parent=claim.replies_to, role="assistant", agent=claim.agent))
        said = 0 if act.new else sum(fact[0] == "message.delta" and fact[2] == label for fact in self.log)
        facts.append(MessageDelta(message=message, part=0, part_type="text", offset=said * len(PIECE), text=PIECE))
        if complete:
            text = PIECE * (said + 1)
            facts.append(MessageCompleted(message=message, parts=(Part(type="text", text=text),), state="complete"))
        log.append_as(claim, facts)
        return "ok"

    def _heartbeat(self, act: Act, _: ClientId) -> object:
        claim = self._own(act)
        heartbeat = runs.heartbeat([claim])
        if heartbeat.lost:
            return "lost"
        return ("cancelled" if heartbeat.cancelled else "live", bool(heartbeat.steered))

    def _release(self, act: Act, _: ClientId) -> object:
        runs.release(self._own(act))
        return None

    def _finish(self, act: Act, _: ClientId) -> object:
        outcomes: dict[str, RunOutcome] = {"completed": RunCompleted(), "failed": FAILED}
        runs.finish(self._own(act), outcomes[act.word])
        return "ok"

    def _park(self, act: Act, _: ClientId) -> object:
        waits = [Waiting("ask", ask=AskId(self.labels.id(label))) for label in act.on]
        if act.word in {"all", "signal"}:
            names = ("paid", "sent") if act.word == "all" else ("paid",)
            waits += [Waiting("signal", signal=name) for name in names]
        until = None
        if act.word in {"all", "sleep"} or not waits:
            until = Run.objects.annotate(now=Now()).values_list("now", flat=True)[0] + LONG
        runs.park(self._own(act), fact_of(waits, until), resume_at=until)
        return "ok"

    def _ask(self, act: Act, _: ClientId) -> object:
        is_approval = act.key in APPROVALS
        outcome = asks.open_ask(
            self._own(act),
            act.key,
            title="Go on?",
            kind="approval" if is_approval else "choice",
            schema={} if is_approval else {"enum": ["yes", "no"]},
            expires_at=clock.now() + LONG,
        )
        answered = ANSWERS[repr(outcome.value)] if outcome.state == "answered" else outcome.state
        return (outcome.ask, outcome.end or answered)

    def _steers(self, act: Act, _: ClientId) -> object:
        return tuple(steering.message for steering in runs.take_steers(self._own(act), act.key))

    def _take(self, act: Act, _: ClientId) -> object:
        taken = signals.take(self._own(act), act.word, act.key)
        return None if taken is None else taken.value

    def _begin(self, act: Act, _: ClientId) -> object:
        return self._write_step(act, None)

    def _keep(self, act: Act, _: ClientId) -> object:
        return self._write_step(act, act.word)

    def _write_step(self, act: Act, result: str | None) -> str:
        encoded = None if result is None else msgspec.json.encode(result)
        step = NewStep(act.key, STEPS.index(act.key) + 1, "", encoded)
        facts = [] if result is None else [step.fact]
        (span,) = steps.write_all([log.Write(self._own(act), facts)], [step])
        return "fenced" if span is None else "ok"

    def _read(self, act: Act, _: ClientId) -> object:
        found = steps.read(self._own(act))
        return tuple((step.key, msgspec.json.decode(step.result or b"null")) for step in found)

    # What time does

    def _lapse(self, act: Act, _: ClientId) -> object:
        Run.objects.filter(pk=self._run(act.target), state="running").update(lease_until=Now() - timedelta(seconds=1))
        return None

    def _come(self, act: Act, _: ClientId) -> object:
        with transaction.atomic(durable=True):
            waiting.resume(self._run(act.target))
        return None

    def _expire(self, act: Act, _: ClientId) -> object:
        Ask.objects.filter(pk=self._ask_id(act), state="open").update(expires_at=Now())
        return None

    def _sweep(self, *_: object) -> object:
        runs.end_lapsed()
        asks.expire()
        return None

    # Words

    def _apart(self, act: Act, client_id: ClientId) -> object:
        try:
            return self.do(act, client_id)
        finally:
            connection.close()

    def _run(self, label: str) -> RunId:
        return RunId(self.labels.id(label))

    def _ask_id(self, act: Act) -> AskId:
        return AskId(self.labels.id(act.target))

    def _own(self, act: Act) -> Claim:
        assert act.by is not None
        return self._claims[act.by]

    def _row(self, run: Run) -> Row:
        now = run.now  # type: ignore[attr-defined]  # annotated
        return Row(
            run=self.labels.of(run.pk),
            asked=run.asked_seq,
            queued=run.queued,
            state=run.state,
            fence=run.fence,
            attempt=run.attempt,
            handed_back=run.handed_back,
            lapsed=run.lease_until is not None and run.lease_until < now,
            cancelled=run.cancel_requested_at is not None,
            waits_on=run.waits_on,
            waits_for=self._waits_for(run.waiting or {}),
            due=run.resume_at is not None and run.resume_at <= now,
        )

    def _waits_for(self, waiting: dict[str, Any]) -> tuple[str, ...]:
        asked = waiting.get("asks") or [waiting["ask"]] if "ask" in waiting else []
        names = waiting.get("signals") or [waiting["signal"]] if "signal" in waiting else []
        return (*(self.labels.of(UUID(ask)) for ask in asked), *names)


def _until_all_wait(futures: list["Future[object]"]) -> None:
    """Waits until each act has ended or waits for a lock."""
    deadline = time.monotonic() + DEADLINE_S
    with connection.cursor() as cursor:
        while going := sum(not future.done() for future in futures):
            cursor.execute(_WAITING)
            if cursor.fetchone()[0] >= going:
                return
            assert time.monotonic() < deadline, "an act neither ends nor waits"
            time.sleep(0.001)
