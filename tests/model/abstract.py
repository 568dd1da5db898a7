"""The model: Runs of one Session, their queue, and the log. Each act returns what it says to the one who did it."""

from collections.abc import Callable
from typing import Final

from tests.model.acts import STEPS, Act, Ask, Fact, Given, Held, Row
from tests.model.rules import Rules

ATTEMPTS: Final = 3
HAND_BACKS: Final = 20
RETRIABLE: Final = ("failed", "cancelled", "interrupted")


class Model(Rules):
    """What each act does."""

    def do(self, act: Act) -> object:
        said: object = getattr(self, f"_{act.name}")(act)
        return said

    def has_effect(self, act: Act) -> bool:
        """Returns whether the act changes something, as far as that is quickly seen."""
        asks, row = self.asks.values(), self.rows.get(act.target)
        effects: dict[str, Callable[[], bool]] = {
            "edit": lambda: f"{act.target}/1" in self.queue,
            "withdraw": lambda: f"{act.target}/1" in self.queue,
            "cancel": lambda: row in self.active(),
            "signal": lambda: row in self.active(),
            "retry": lambda: row is not None and row.state in RETRIABLE,
            "claim": lambda: row is not None and (row.state == "waiting" or self.is_claimable(row)),
            "answer": lambda: self.asks[act.target].state == "open",
            "decline": lambda: self.asks[act.target].state == "open",
            "resume_queue": lambda: bool(self.paused_at),
            "steers": lambda: any(steer.run == act.run for steer in self.steers),
            "take": lambda: any((signal.run, signal.what) == (act.run, act.word) for signal in self.signals),
            "sweep": lambda: (
                any(row.lapsed for row in self.rows.values()) or any(ask.late and ask.state == "open" for ask in asks)
            ),
        }
        is_held = act.by is None or self.own(act) is not None
        return is_held and effects.get(act.name, lambda: True)()

    def message_of(self, claim: Held) -> tuple[str, bool]:
        """Returns the Message that the worker writes next, and whether it begins it."""
        here = self.still_open.get(claim.run)
        return (here, False) if here else (f"{claim.run}.{self.written.get(claim.run, 0) + 1}", True)

    # What people do

    def _post(self, act: Act) -> object:
        holding = [row for row in self.active() if self.holds_turn(row)]
        state = "sent"
        if holding or (self.queue and not self.paused_at):
            match act.word:
                case "reject":
                    return "run_active"
                case "interrupt":
                    self.stop(holding)
                case policy:
                    run = self._steerable(holding) if policy == "steer" else self._asking(holding)
                    if run is not None:
                        return self._steer(act.target, run)
                    state = "queued"
        self.posts.append(act.target)
        self.append("message.posted", act.target, state)
        return self.did((state, self.request(act.target, queued=state == "queued")))

    def _steerable(self, holding: list[Row]) -> Row | None:
        fit = [row for row in holding if not row.cancelled]
        return max(fit, key=lambda row: (row.state != "requested", row.asked), default=None)

    def _asking(self, holding: list[Row]) -> Row | None:
        asking = [row for row in holding if row.waits_on == "ask" and self.answerable(row.run)]
        return max(asking, key=lambda row: row.asked, default=None)

    def _steer(self, message: str, row: Row) -> object:
        self.posts.append(message)
        self.append("message.posted", message, "steering")
        self.steers.append(Given(row.run, message))
        for ask in self.answerable(row.run):
            self.close(ask, "declined")
        self.look(row.run)
        return self.did(("steering", None))

    def _retry(self, act: Act) -> object:
        if self.rows[act.target].state not in RETRIABLE:
            return "conflict"
        return self.did(self.request(act.target.partition("/")[0]))

    def _cancel(self, act: Act) -> object:
        return self._stop([row for row in self.active() if row.run == act.target])

    def _cancel_all(self, _: Act) -> object:
        return self._stop(self.active())

    def _stop(self, reached: list[Row]) -> object:
        if not reached:
            return "run_ended"
        of_turn = [row.run for row in reached if self.holds_turn(row) and not row.cancelled]
        stopped = self.stop(reached)
        for run in of_turn:
            self.pause(run, "stopped")
        return self.did(stopped or {row.run for row in reached})

    def _edit(self, act: Act) -> object:
        if f"{act.target}/1" not in self.queue:
            return "not_queued"
        self.append("message.queued_edited", act.target)
        return self.did(None)

    def _withdraw(self, act: Act) -> object:
        if f"{act.target}/1" not in self.queue:
            return "not_queued"
        row = self.rows[f"{act.target}/1"]
        self.dequeue(row, "withdrawn")
        self.end(row, "cancelled", was_queued=True)
        return self.did(None)

    def _resume_queue(self, _: Act) -> object:
        if not self.paused_at:
            return "conflict"
        self.resume()
        return self.did(None)

    def _answer(self, act: Act) -> object:
        ask = self.asks[act.target]
        if not self._is_in_time(ask):
            return "ask_closed"
        if act.word == "bad":
            return "bad_answer"
        self.append("ask.answered", ask.run, ask.label)
        ask.state = act.word
        self.look(ask.run)
        return self.did("answered")

    def _decline(self, act: Act) -> object:
        ask = self.asks[act.target]
        if not self._is_in_time(ask):
            return "ask_closed"
        self.close(ask, "declined")
        self.look(ask.run)
        return self.did("declined")

    def _is_in_time(self, ask: Ask) -> bool:
        """Closes a question whose time is over: an answer that comes too late does that."""
        if ask.state == "open" and ask.late:
            self.close(ask, "expired")
            self.look(ask.run)
        return ask.state == "open"

    def _signal(self, act: Act) -> object:
        row = self.rows[act.target]
        if row not in self.active():
            return "run_ended"
        self.append("signal.received", row.run, act.word)
        self.signals.append(Given(row.run, act.word, act.key))
        self.look(row.run)
        return self.did("received")

    # What workers do

    def _claim(self, act: Act) -> object:
        row = self.rows[act.target]
        if not self.is_claimable(row):
            return None
        if row.queued:
            self.dequeue(row, "sent")
        row.fence += 1
        if row.state == "waiting":
            self.append("run.resumed", row.run, row.waits_on)
        else:
            row.attempt += 1
            voided = (self.still_open.pop(row.run),) if row.run in self.still_open else ()
            begun: Fact = ("run.started", row.run, 1)
            self.append(*(begun if row.attempt == 1 else ("run.restarted", row.run, row.attempt, voided)))
        row.state, row.lapsed, row.waits_on, row.waits_for, row.due = "running", False, "", (), False
        claim = Held(row.run, row.fence, row.attempt)
        self.held.append(claim)
        return claim

    def is_claimable(self, row: Row) -> bool:
        goes_on = row.state == "waiting" and row.due
        begins = row.state == "requested" or (row.state == "running" and row.lapsed)
        left = row.attempt - row.handed_back < ATTEMPTS
        return not row.cancelled and (goes_on or (begins and left and self.is_its_turn(row)))

    def _write(self, act: Act) -> object:
        return self._say(act, complete=False)

    def _complete(self, act: Act) -> object:
        return self._say(act, complete=True)

    def _say(self, act: Act, *, complete: bool) -> object:
        row = self.may_write(act)
        if row is None:
            return "fenced"
        message, begins = act.target, act.new
        if begins:
            self.append("message.started", row.run, message)
            self.written[row.run] = self.written.get(row.run, 0) + 1
        self.append("message.delta", row.run, message)
        self.still_open[row.run] = message
        if complete:
            self.append("message.completed", row.run, message, "complete")
            del self.still_open[row.run]
        return "ok"

    def _heartbeat(self, act: Act) -> object:
        row = self.own(act)
        if row is None:
            return "lost"
        row.lapsed = False
        steered = any(steer.run == row.run and not steer.taken_by for steer in self.steers)
        return ("cancelled" if row.cancelled else "live", steered)

    def _release(self, act: Act) -> object:
        assert act.by is not None
        row = self.rows[act.by.run]
        if row.state != "running":
            return None
        if row.fence == act.by.fence:
            row.fence += 1
            row.lapsed = True
            row.handed_back = min(row.handed_back + 1, HAND_BACKS)
        elif row.attempt > act.by.attempt:
            row.handed_back = min(row.handed_back + 1, HAND_BACKS)
        return None

    def _finish(self, act: Act) -> object:
        row = self.own(act)
        if row is None:
            return "fenced"
        self.end(row, "cancelled" if row.cancelled else act.word)
        return "ok"

    def _park(self, act: Act) -> object:
        row = self.own(act)
        if row is None:
            return "fenced"
        if row.cancelled:
            self.end(row, "cancelled")
            return "ok"
        on = "ask" if act.on else "signal" if act.word in {"all", "signal"} else "sleep"
        signals = {"all": ("paid", "sent"), "signal": ("paid",)}.get(act.word, ())
        self.append("run.waiting", row.run, on)
        row.state, row.fence, row.lapsed, row.due = "waiting", row.fence + 1, False, False
        row.waits_on, row.waits_for = on, (*act.on, *signals)
        self.look(row.run)
        return "ok"

    def _ask(self, act: Act) -> object:
        row = self.may_write(act)
        if row is None:
            return "fenced"
        label = f"{row.run}?{act.key}"
        if label not in self.asks:
            self.append("ask.opened", row.run, label)
            self.asks[label] = Ask(label, row.run)
        return (label, self.asks[label].state)

    def _steers(self, act: Act) -> object:
        row = self.may_write(act)
        if row is None:
            return "fenced"
        of_run = [steer for steer in self.steers if steer.run == row.run]
        taken = [steer for steer in of_run if steer.taken_by == act.key]
        if not taken:
            taken = [steer for steer in of_run if steer.taken_by is None]
            for steer in taken:
                self.append("run.steered", row.run, steer.what, True, False)
                steer.taken_by = act.key
        return tuple(steer.what for steer in taken)

    def _take(self, act: Act) -> object:
        row = self.own(act)
        if row is None:
            return "fenced"
        of_name = [signal for signal in self.signals if (signal.run, signal.what) == (row.run, act.word)]
        found = [signal for signal in of_name if signal.taken_by == act.key]
        found += [signal for signal in of_name if signal.taken_by is None]
        if not found:
            return None
        found[0].taken_by = act.key
        return found[0].value

    def _begin(self, act: Act) -> object:
        row = self.may_write(act)
        if row is None:
            return "fenced"
        self.steps.setdefault((row.run, act.key), None)
        return "ok"

    def _keep(self, act: Act) -> object:
        row = self.may_write(act)
        if row is None:
            return "fenced"
        self.append("step.completed", row.run, act.key, act.word)
        self.steps[row.run, act.key] = act.word
        return "ok"

    def _read(self, act: Act) -> object:
        assert act.by is not None
        run = act.by.run
        return tuple((key, self.steps[run, key]) for key in STEPS if (run, key) in self.steps)

    # What time does

    def _lapse(self, act: Act) -> object:
        row = self.rows[act.target]
        row.lapsed = row.state == "running"
        return None

    def _come(self, act: Act) -> object:
        row = self.rows[act.target]
        row.due = row.state == "waiting"
        return None

    def _expire(self, act: Act) -> object:
        ask = self.asks[act.target]
        if ask.state == "open":
            ask.late = max(each.late for each in self.asks.values()) + 1
        return None

    def _sweep(self, _: Act) -> object:
        for row in list(self.rows.values()):
            if row.state == "running" and row.lapsed:
                if row.cancelled:
                    self.end(row, "cancelled")
                elif row.attempt - row.handed_back >= ATTEMPTS:
                    self.end(row, "interrupted")
        for ask in sorted(self.asks.values(), key=lambda ask: ask.late):
            if ask.late and ask.state == "open":
                self.close(ask, "expired")
                self.look(ask.run)
        return None
