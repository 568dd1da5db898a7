"""The rules of the model: whose turn it is, what the end of a Run does to the queue."""

from typing import Final

from msgspec import Struct

from tests.model.acts import Act, Fact, Held, Row

ACTIVE: Final = ("requested", "running", "waiting")
_STATES: Final = {"completed": "complete"}  # of a Message whose Run ended so


class Rules(Struct):
    log: list[Fact]
    rows: dict[str, Row] = {}
    queue: list[str] = []  # Runs
    still_open: dict[str, str] = {}  # the Message that a Run is writing
    written: dict[str, int] = {}  # Messages that a Run has begun
    posts: list[str] = []
    held: list[Held] = []
    done: list[object] = []  # what commands said that had an effect
    paused_at: int = 0

    def active(self) -> list[Row]:
        return [row for row in self.rows.values() if row.state in ACTIVE]

    def own(self, act: Act) -> Row | None:
        """Returns the Run that the worker holds, if it does still."""
        assert act.by is not None
        row = self.rows[act.by.run]
        return row if row.state == "running" and row.fence == act.by.fence else None

    def holds_turn(self, row: Row) -> bool:
        return row.state == "running" or (row.state == "requested" and not row.queued)

    def is_its_turn(self, row: Row) -> bool:
        if row.state != "requested":
            return True
        if row.queued and self.paused_at:
            return False
        others = [other for other in self.rows.values() if other is not row and other.state in ACTIVE]
        begun = any(self.holds_turn(other) for other in others if other.state != "requested")
        place = (row.queued, row.asked)
        return not begun and not any((o.queued, o.asked) < place for o in others if o.state == "requested")

    def end(self, row: Row, outcome: str, *, was_queued: bool = False) -> None:
        if row.run in self.still_open:
            state = _STATES.get(outcome, outcome)
            self.append("message.completed", row.run, self.still_open.pop(row.run), state)
        self.append(f"run.{outcome}", row.run)
        row.state, row.lapsed, row.waits_on, row.due = outcome, False, "", False
        if outcome in {"failed", "interrupted"}:
            self.pause(row.run, "failed")
        elif outcome == "completed" and 0 < self.paused_at < row.asked:
            self.resume()
        if was_queued and self.paused_at and not self.queue:
            self.resume()

    def dequeue(self, row: Row, reason: str) -> None:
        self.queue.remove(row.run)
        row.queued = False
        self.append("message.dequeued", row.run.partition("/")[0], reason)

    def pause(self, run: str, reason: str) -> None:
        if self.queue and not self.paused_at:
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
