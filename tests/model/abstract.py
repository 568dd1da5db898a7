"""The model: Runs of one Session, their queue, and the log. Each act returns what it says to the one who did it."""

from collections.abc import Sequence
from typing import Final

from tests.model.acts import Act, Fact, Held, Row
from tests.model.rules import Rules

ATTEMPTS: Final = 3
HAND_BACKS: Final = 20


class Model(Rules):
    """What each act does."""

    def do(self, act: Act) -> object:
        said: object = getattr(self, f"_{act.name}")(act)
        return said

    def message_of(self, claim: Held) -> tuple[str, bool]:
        """Returns the Message that the worker writes next, and whether it begins it."""
        here = self.still_open.get(claim.run)
        return (here, False) if here else (f"{claim.run}.{self.written.get(claim.run, 0) + 1}", True)

    # What people do

    def _post(self, act: Act) -> object:
        holding = [row for row in self.active() if self.holds_turn(row)]
        state = "sent"
        if holding or (self.queue and not self.paused_at):
            if act.word == "reject":
                return "run_active"
            if act.word == "queue":
                state = "queued"
            else:
                self._stop(holding)
        self.posts.append(act.target)
        self.append("message.posted", act.target, state)
        run = self._request(act.target, queued=state == "queued")
        return self.did((state, run))

    def _request(self, message: str, *, queued: bool = False) -> str:
        run = f"{message}/{sum(row.run.startswith(f'{message}/') for row in self.rows.values()) + 1}"
        self.append("run.requested", run)
        self.rows[run] = Row(run=run, asked=len(self.log), queued=queued)
        if queued:
            self.queue.append(run)
        return run

    def _retry(self, act: Act) -> object:
        if self.rows[act.target].state not in {"failed", "cancelled", "interrupted"}:
            return "conflict"
        return self.did(self._request(act.target.partition("/")[0]))

    def _cancel(self, act: Act) -> object:
        reached = [row for row in self.active() if row.run == act.target]
        if not reached:
            return "run_ended"
        of_turn = [row.run for row in reached if self.holds_turn(row) and not row.cancelled]
        stopped = self._stop(reached)
        for run in of_turn:
            self.pause(run, "stopped")
        return self.did(stopped) if stopped else {row.run for row in reached}

    def _cancel_all(self, _: Act) -> object:
        active = self.active()
        if not active:
            return "run_ended"
        stopped = self._stop(active)
        return self.did(stopped) if stopped else {row.run for row in active}

    def _stop(self, reached: Sequence[Row]) -> set[str]:
        """Stops those that are not being stopped already, and returns them."""
        fresh = [row for row in reached if not row.cancelled]
        if fresh:
            self.append("run.cancel_requested", tuple(row.run for row in fresh))
        for row in fresh:
            row.cancelled = True
            if was_queued := row.queued:
                self.dequeue(row, "withdrawn")
            if row.state != "running":
                self.end(row, "cancelled", was_queued=was_queued)
        return {row.run for row in fresh}

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

    # What workers do

    def _claim(self, act: Act) -> object:
        row = self.rows[act.target]
        goes_on = row.state == "waiting" and row.due
        begins = row.state == "requested" or (row.state == "running" and row.lapsed)
        left = row.attempt - row.handed_back < ATTEMPTS
        if row.cancelled or not (goes_on or (begins and left and self.is_its_turn(row))):
            return None
        if row.queued:
            self.dequeue(row, "sent")
        row.fence += 1
        if goes_on:
            self.append("run.resumed", row.run, row.waits_on)
        else:
            row.attempt += 1
            voided = (self.still_open.pop(row.run),) if row.run in self.still_open else ()
            begun: Fact = ("run.started", row.run, 1)
            self.append(*(begun if row.attempt == 1 else ("run.restarted", row.run, row.attempt, voided)))
        row.state, row.lapsed, row.waits_on, row.due = "running", False, "", False
        claim = Held(row.run, row.fence, row.attempt)
        self.held.append(claim)
        return claim

    def _write(self, act: Act) -> object:
        return self._say(act, complete=False)

    def _complete(self, act: Act) -> object:
        return self._say(act, complete=True)

    def _say(self, act: Act, *, complete: bool) -> object:
        assert act.by is not None
        row = self.own(act)
        if row is None or row.cancelled:
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
        return "cancelled" if row.cancelled else "live"

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
        self.append("run.waiting", row.run, act.word)
        row.state, row.fence, row.lapsed, row.waits_on, row.due = "waiting", row.fence + 1, False, act.word, False
        return "ok"

    # What time does

    def _lapse(self, act: Act) -> object:
        row = self.rows[act.target]
        row.lapsed = row.state == "running"
        return None

    def _come(self, act: Act) -> object:
        row = self.rows[act.target]
        row.due = row.state == "waiting"
        return None

    def _sweep(self, _: Act) -> object:
        for row in self.rows.values():
            if row.state == "running" and row.lapsed:
                if row.cancelled:
                    self.end(row, "cancelled")
                elif row.attempt - row.handed_back >= ATTEMPTS:
                    self.end(row, "interrupted")
        return None
