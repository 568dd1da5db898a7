"""The prompt of a branch, on random trees: exactly what the message to answer follows, in order."""

from dataclasses import dataclass, field
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.runner.prompt_view import PromptView, fold
from sessions_core.protocol.events import (
    Fact,
    MessageCompleted,
    MessagePosted,
    MessageStarted,
    Part,
    RunRequested,
    RunSteered,
)
from sessions_core.protocol.ids import BEGINNING, MessageId, RunId
from tests.agents.test_prompt_view import events
from tests.support.random_input import many

# What an answer consists of: messages, and a steer that the Run takes between them.
pieces = st.lists(st.sampled_from(("message", "message", "steer")), max_size=4)
# Whether it is a post or an answer anew; what it hangs on; the answer.
acts = st.lists(st.tuples(st.booleans(), st.integers(0, 100), pieces), min_size=1, max_size=14)


@dataclass
class Tree:
    """A log, and for each message what its branch consists of up to it."""

    facts: list[tuple[RunId | None, Fact]] = field(default_factory=list)
    branches: dict[MessageId, list[MessageId]] = field(default_factory=dict)
    posted: list[MessageId] = field(default_factory=list)
    replies_to: dict[MessageId, MessageId] = field(default_factory=dict)  # of what is part of an answer
    active: list[MessageId] = field(default_factory=list)
    count: int = 0

    def post(self, choice: int, answer: list[str]) -> None:
        parent = [BEGINNING, *self.branches][choice % (len(self.branches) + 1)]
        message = self._write("sent", parent)
        self.posted.append(message)
        self.branches[message] = [*self.branches.get(parent, ()), message]
        self._answer(message, answer)

    def answer_anew(self, choice: int, answer: list[str]) -> None:
        if self.replies_to:
            self._answer([*self.replies_to.values()][choice % len(self.replies_to)], answer)

    def _answer(self, message: MessageId, answer: list[str]) -> None:
        run = RunId(self._new())
        self.active = branch = self.branches[message]
        self.facts.append((run, RunRequested(run=run, agent="a", parent=None, replies_to=message)))
        for piece in answer:
            said = self._say(run, message) if piece == "message" else self._steer(run)
            self.replies_to[said] = message
            self.active = branch = self.branches[said] = [*branch, said]

    def _say(self, run: RunId, to: MessageId) -> MessageId:
        said = MessageId(self._new())
        started = MessageStarted(message=said, parent=to, role="assistant", agent="a")
        parts = (Part(type="text", text=str(said)),)
        self.facts += [(run, started), (run, MessageCompleted(message=said, parts=parts, state="complete"))]
        return said

    def _steer(self, run: RunId) -> MessageId:
        message = self._write("steering", None)
        self.facts.append((run, RunSteered(message=message, consumed=True)))
        return message

    def _write(self, state: str, parent: MessageId | None) -> MessageId:
        message = MessageId(self._new())
        posted = MessagePosted(
            message=message,
            parent=parent,
            role="user",
            parts=(Part(type="text", text=str(message)),),
            client_id=None,
            state="sent" if state == "sent" else "steering",
            device=None,
        )
        self.facts.append((None, posted))
        return message

    def _new(self) -> UUID:
        self.count += 1
        return UUID(int=self.count)


def shown(view: PromptView) -> list[MessageId]:
    shown = [message.message for exchange in view.exchanges for message in exchange.shown]
    return [message for message in shown if message is not None]


@given(acts)
@settings(max_examples=many(300), deadline=None)
def test_the_prompt_of_a_message_is_what_it_follows_in_order(script: list[tuple[bool, int, list[str]]]) -> None:
    tree = Tree()
    for is_post, choice, answer_pieces in script:
        (tree.post if is_post or not tree.posted else tree.answer_anew)(choice, answer_pieces)
    whole = list(events(tree.facts))

    for message in tree.posted:
        view = fold(whole, up_to=message)
        assert shown(view) == tree.branches[message]
        assert view.is_whole
    assert shown(fold(whole, up_to=None)) == tree.active
