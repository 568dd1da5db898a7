"""The branches of a conversation (docs/topics/branches.md). static/js/core/branches.js finds the same ones.

A person's Message hangs on its `parent`. What a Run says and what people write to it meanwhile are one Answer to the Message that
the Run replies to. A retry goes on with the same Answer; a Run that is asked to answer anew gives another one.
"""

from collections import defaultdict
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from sessions_core.protocol.run_states import ACTIVE
from sessions_core.protocol.timeline_types import Ask, Message, Run, Timeline, ToolCall


class Exchange(Struct, frozen=True):
    """A Message of a person and the Answer to it that a branch goes through, by the id of its first Run; None: it goes through
    none. `message` is None when it is not known. `until`: the branch leaves the Answer after that seq.
    """

    message: str | None
    answer: str | None
    until: int | None = None


class Branches:
    """The branches of a Timeline, as it is now."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._said: dict[str, list[Message]] = defaultdict(list)  # by Answer
        self._replies_to: dict[str, str | None] = {}  # by Answer
        self._first: dict[str, str] = {}  # the first Answer to each Message
        for run in timeline.runs.values():
            if run.parent is None:
                self._note(run.retry_of or run.id, run.replies_to)
        for message in timeline.messages.values():
            answer = self.answer_with(message)
            if answer is not None and not self._is_in_lane(message):
                self._said[answer].append(message)
                if message.role == "assistant":
                    self._note(answer, message.parent)

    def active(self) -> list[Exchange]:
        """Returns the active branch, oldest first. It ends with what was sent last, or was begun to be answered anew since. An
        Answer that has ended without a word counts for nothing.
        """
        placed = next((each for each in reversed(self._timeline.messages.values()) if _is_placed(each)), None)
        begun = max((run for run in self._timeline.runs.values() if self._is_begun(run)), key=_seq, default=None)
        if begun is not None and (placed is None or _seq(begun) > placed.seq):
            return self._path(Exchange(begun.replies_to, begun.id))
        if placed is not None:
            return self._path(Exchange(placed.id, self._first.get(placed.id)))
        answer = next(reversed(self._said), None)
        return [] if answer is None else self._path(Exchange(self._replies_to.get(answer), answer))

    def up_to(self, message: str) -> list[Exchange]:
        """Returns the branch that ends with the Message, oldest first."""
        return self._path(Exchange(message, None))

    def said_in(self, exchange: Exchange) -> list[Message]:
        """Returns the Messages of the Answer that are on the branch, in the order of the log."""
        said = self._said.get(exchange.answer or "", [])
        return [each for each in said if exchange.until is None or each.seq <= exchange.until]

    def messages_of(self, path: Sequence[Exchange]) -> list[str]:
        """Returns the ids of the Messages on a branch, in its order."""
        found: list[str] = []
        for exchange in path:
            found += filter(None, [exchange.message])
            found += (each.id for each in self.said_in(exchange))
        return found

    def answer_with(self, message: Message) -> str | None:
        """Returns the Answer that the Message is part of; None for one that a person sent, or is to be sent."""
        run_id = _run_of(message)
        run = self._timeline.runs.get(run_id or "")
        return run_id if run is None else self.answer_of(run)

    def answer_of(self, run: Run) -> str:
        """Returns the Answer that the Run, or the one that has started it, works on."""
        while run.parent in self._timeline.runs:
            run = self._timeline.runs[run.parent]
        return run.retry_of or run.id

    def replies_to(self, answer: str) -> str | None:
        """Returns the Message that the Answer is to, if it is known."""
        return self._replies_to.get(answer)

    def is_silent(self, answer: str) -> bool:
        """Returns whether nothing has been said in the Answer."""
        return not self._said.get(answer)

    def _note(self, answer: str, replies_to: str | None) -> None:
        self._replies_to.setdefault(answer, replies_to)
        if replies_to is not None:
            self._first.setdefault(replies_to, answer)

    def _is_in_lane(self, message: Message) -> bool:
        """Returns whether a Run says it that another Run has started."""
        run = self._timeline.runs.get(_run_of(message) or "")
        return run is not None and run.parent is not None

    def _is_begun(self, run: Run) -> bool:
        is_first = run.parent is None and run.retry_of is None and run.replies_to is not None
        return is_first and run.seq is not None and (run.state in ACTIVE or not self.is_silent(run.id))

    def _path(self, end: Exchange) -> list[Exchange]:
        path = [end]
        while (before := self._before(path[-1].message)) is not None:
            path.append(before)
        return path[::-1]

    def _before(self, message_id: str | None) -> Exchange | None:
        """Returns what the Message follows: the whole Answer when it was sent to its end, also what is said there later."""
        messages = self._timeline.messages
        message = messages.get(message_id or "")
        parent = messages.get(message.parent or "") if message else None
        if message is None or parent is None:
            return None
        answer = self.answer_with(parent)
        said = self._said.get(answer or self._first.get(parent.id, ""), [])
        last = next((each for each in reversed(said) if each.seq < message.seq), None)
        if answer is None:
            return _if_before(message, parent, Exchange(parent.id, None if last else self._first.get(parent.id)))
        replies_to = self._replies_to.get(answer)
        until = None if last is parent else parent.seq
        return _if_before(message, messages.get(replies_to or ""), Exchange(replies_to, answer, until))


def active_branch(timeline: Timeline) -> Timeline:
    """Returns the Timeline with what stands on the active branch, and on none: Messages that are not sent yet, Runs that reply to
    no Message. A Run that has said nothing is shown with the Message that it replies to, and an open question wherever it is.
    Where the branch begins before the Timeline, Answers to Messages from before it are shown, too.
    """
    screen = _Screen(timeline)
    return msgspec.structs.replace(
        timeline,
        messages={id: each for id, each in timeline.messages.items() if screen.shows_message(each)},
        runs={id: run for id, run in timeline.runs.items() if screen.shows_run(run)},
        calls={key: call for key, call in timeline.calls.items() if screen.shows_work(call)},
        asks={id: ask for id, ask in timeline.asks.items() if screen.shows_work(ask)},
    )


class _Screen:
    """What `active_branch` returns of a Timeline."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._branches = Branches(timeline)
        path = self._branches.active()
        first = timeline.messages.get(path[0].message or "") if path else None
        self._is_whole = first is not None and first.parent is None
        self._sent = {exchange.message for exchange in path}
        self._answers = {exchange.answer: exchange for exchange in path}
        self._asking = {ask.run for ask in timeline.asks.values() if ask.state == "open"}

    def shows_message(self, message: Message) -> bool:
        answer = self._branches.answer_with(message)
        if answer is None:
            return message.state != "sent" or message.id in self._sent
        return self._shows_part(answer, message.seq)

    def shows_run(self, run: Run) -> bool:
        message = self._timeline.messages.get(run.replies_to or "")
        if run.id in self._asking or (message is not None and message.state == "queued"):
            return True
        answer = self._branches.answer_of(run)
        return answer in self._answers or self._may_show(answer, run.replies_to)

    def shows_work(self, work: ToolCall | Ask) -> bool:
        if isinstance(work, Ask) and work.state == "open":
            return True
        run = self._timeline.runs.get(work.run)
        return self._shows_part(self._branches.answer_of(run) if run else work.run, work.seq)

    def _shows_part(self, answer: str, seq: int) -> bool:
        exchange = self._answers.get(answer)
        if exchange is None:
            return self._may_show(answer, self._branches.replies_to(answer))
        return exchange.until is None or seq <= exchange.until

    def _may_show(self, answer: str, replies_to: str | None) -> bool:
        """Returns whether an Answer that is not on the branch is shown all the same."""
        if replies_to is None:
            return True
        is_silent = self._branches.is_silent(answer)
        if replies_to in self._timeline.messages or replies_to in self._sent:
            return is_silent and replies_to in self._sent
        return is_silent or not self._is_whole


def _run_of(message: Message) -> str | None:
    """Returns the Run that says the Message, or has read it while it worked."""
    return message.steered or (None if message.role == "user" else message.run or message.id)


def _is_placed(message: Message) -> bool:
    return message.role == "user" and message.state == "sent" and message.steered is None


def _seq(run: Run) -> int:
    return run.seq or 0


def _if_before(message: Message, other: Message | None, exchange: Exchange) -> Exchange | None:
    """Returns the exchange, whose Message is the `other`, unless that was sent later: in no log, but a path has to end."""
    return None if other is not None and other.seq >= message.seq else exchange
