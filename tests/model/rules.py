"""The rules of the model: whose turn it is, what lets a Run go on, what the end of a Run does to all that belongs to it."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tests.model.acts import Act, Ask, Fact, Given, Held, Row
from tests.model.labels import Labels

ACTIVE: Final = ("requested", "running", "waiting")
_STATES: Final = {"completed": "complete"}  # of a Message whose Run ended so


class Rules(Struct):
    log: list[Fact]
    labels: Labels  # only for the order of ids: in it the Runs that one act stops end
    rows: dict[str, Row] = {}
    queue: list[str] = []  # Runs
    still_open: dict[str, str] = {}  # the Message that a Run is writing
    written: dict[str, int] = {}  # Messages that a Run has begun
    posts: list[str] = []
    held: list[Held] = []
    asks: dict[str, Ask] = {}
    steers: list[Given] = []
    signals: list[Given] = []
    steps: dict[tuple[str, str], str | None] = {}  # by Run and key; None: begun
    done: list[object] = []  # what commands said that had an effect
    paused_at: int = 0

    def active(self) -> list[Row]:
        return sorted(
            (row for row in self.rows.values() if row.state in ACTIVE), key=lambda row: self.labels.place(row.run)
        )

    def at_work(self) -> list[Row]:
        return [row for row in self.active() if row.state == "running" and not row.cancelled]

    def own(self, act: Act) -> Row | None:
        """Returns the Run that the worker holds, if it does still."""
        assert act.by is not None
        return self.rows[act.by.run] if self.holds(act.by) else None

    def holds(self, claim: Held) -> bool:
        row = self.rows[claim.run]
        return row.state == "running" and row.fence == claim.fence

    def may_write(self, act: Act) -> Row | None:
        row = self.own(act)
        return None if row is None or row.cancelled else row

    # Turns

    def holds_turn(self, row: Row) -> bool:
        match row.state:
            case "running":
                return True
            case "waiting":
                return row.waits_on == "ask"
            case "requested":
                return not row.queued
            case _:
                return False

    def is_its_turn(self, row: Row) -> bool:
        if row.state != "requested":
            return True
        if row.queued and self.paused_at:
            return False
        others = [other for other in self.active() if other is not row]
        begun = any(self.holds_turn(other) for other in others if other.state != "requested")
        place = (row.queued, row.asked)
        return not begun and not any((o.queued, o.asked) < place for o in others if o.state == "requested")

    # Waiting

    def open_asks(self) -> list[Ask]:
        return [ask for ask in self.asks.values() if ask.state == "open"]

    def asks_of(self, run: str) -> list[Ask]:
        """Returns the open questions of the Run."""
        return [ask for ask in self.open_asks() if ask.run == run]

    def answerable(self, run: str) -> list[Ask]:
        return [ask for ask in self.asks_of(run) if not ask.late]

    def close(self, ask: Ask, end: str) -> None:
        self.append("ask.closed", ask.run, ask.label, end)
        ask.state = end

    def look(self, run: str) -> None:
        """Lets a Run go on when it waits and something that it waits for has come."""
        row = self.rows[run]
        if row.state == "waiting" and self._has_come(row):
            row.due = True

    def _has_come(self, row: Row) -> bool:
        asks = [self.asks[label] for label in row.waits_for if "?" in label]
        approvals = [ask.state == "open" for ask in asks if ask.is_approval]
        has_signal = any(
            each.run == row.run and each.what in row.waits_for and not each.taken_by for each in self.signals
        )
        is_answered = any(ask.state != "open" for ask in asks if not ask.is_approval)
        return has_signal or is_answered or (bool(approvals) and not any(approvals))

    # Requests and ends

    def request(self, message: str, *, queued: bool = False) -> str:
        run = f"{message}/{sum(row.run.startswith(f'{message}/') for row in self.rows.values()) + 1}"
        self.append("run.requested", run)
        self.rows[run] = Row(run=run, asked=len(self.log), queued=queued)
        if queued:
            self.queue.append(run)
        return run

    def stop(self, reached: Sequence[Row]) -> set[str]:
        """Stops those that are not being stopped already, and returns them."""
        fresh = [row for row in reached if not row.cancelled]
        if fresh:
            self.append("run.cancel_requested", tuple(row.run for row in fresh))
        for row in fresh:
            row.cancelled = True
        for row in fresh:
            if was_queued := row.queued:
                self.dequeue(row, "withdrawn")
            if row.state != "running":
                self.end(row, "cancelled", was_queued=was_queued)
        return {row.run for row in fresh}

    def end(self, row: Row, outcome: str, *, was_queued: bool = False) -> None:
        for ask in self.asks_of(row.run):
            self.close(ask, "run_ended")
        if row.run in self.still_open:
            state = _STATES.get(outcome, outcome)
            self.append("message.completed", row.run, self.still_open.pop(row.run), state)
        self._pass_on(row, outcome)
        self.append(f"run.{outcome}", row.run)
        row.state, row.lapsed, row.waits_on, row.waits_for, row.due = outcome, False, "", (), False
        self.steers = [steer for steer in self.steers if steer.run != row.run]
        if outcome in {"failed", "interrupted"}:
            self.pause(row.run, "failed")
        elif outcome == "completed" and 0 < self.paused_at < row.asked:
            self.resume()
        if was_queued and self.paused_at and not self.has_more():
            self.resume()

    def _pass_on(self, row: Row, outcome: str) -> None:
        """Steers that the Run has not taken are the next Messages, each once."""
        left = [steer.what for steer in self.steers if steer.run == row.run and not steer.taken_by]
        others_turn = any(self.holds_turn(other) for other in self.active() if other is not row)
        queued = outcome == "cancelled" or others_turn
        for message in left:
            self.append("run.steered", row.run, message, False, queued)
            self.request(message, queued=queued)

    # The queue

    def has_more(self) -> bool:
        return bool(self.queue) or any(not steer.taken_by for steer in self.steers)

    def dequeue(self, row: Row, reason: str) -> None:
        self.queue.remove(row.run)
        row.queued = False
        self.append("message.dequeued", row.run.partition("/")[0], reason)

    def pause(self, run: str, reason: str) -> None:
        if self.has_more() and not self.paused_at:
            self.append("queue.paused", run, reason)
            self.paused_at = len(self.log)

    def resume(self) -> None:
        self.append("queue.resumed")
        self.paused_at = 0

    def append(self, *fact: object) -> None:
        self.log.append(fact)

    def did(self, said: object) -> object:
        self.done.append(said)
        return said
