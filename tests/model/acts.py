"""The acts, as values: a name and what it is done to, by label. A Message is called by its text, a Run by `message/n`, a question
by `run?key`.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec


class Act(NamedTuple):
    """What somebody does. `by`: the claim of a worker; `target`: a Run, a Message or a question; `word`: how; `key`: under which
    key of the agent; `new`: it begins the Message; `on`: the questions that a Run waits for.
    """

    name: str
    target: str = ""
    by: "Held | None" = None
    word: str = ""
    key: str = ""
    new: bool = False
    on: tuple[str, ...] = ()

    @property
    def run(self) -> str:
        """The Run that a worker does it for."""
        return self.by.run if self.by else ""


class Held(NamedTuple):
    """A claim that a worker was given once, and may believe in for ever."""

    run: str
    fence: int
    attempt: int


class Row(msgspec.Struct):
    """A Run as its row has it. `lapsed`: its lease is over. `due`: something that it waits for has come. `waits_for`: labels of
    questions and names of signals.
    """

    run: str
    asked: int
    queued: bool
    state: str = "requested"
    fence: int = 0
    attempt: int = 0
    handed_back: int = 0
    lapsed: bool = False
    cancelled: bool = False
    waits_on: str = ""
    waits_for: tuple[str, ...] = ()
    due: bool = False


class Ask(msgspec.Struct):
    """A question. `late` counts those whose time is over, so that the first of them has 1."""

    label: str
    run: str
    state: str = "open"
    late: int = 0

    @property
    def is_approval(self) -> bool:
        return self.label.rpartition("?")[2] in APPROVALS


class Given(msgspec.Struct):
    """What a Run was given, and by which key it was taken: a Message that steers it, or a signal."""

    run: str
    what: str
    value: str = ""
    taken_by: str | None = None


Fact = tuple[object, ...]  # the kind, the Run, and what else matters
PEOPLE: Final = (
    *("post", "post", "post", "cancel", "cancel_all", "retry", "edit", "withdraw", "resume_queue", "resume_queue"),
    *("answer", "answer", "answer", "decline", "signal"),
)
SAYING: Final = ("write", "complete")
WORKERS: Final = (
    *("claim", "claim", "claim", "write", "complete", "heartbeat", "release", "finish", "park", "park", "park"),
    *("ask", "ask", "ask", "steers", "steers", "take", "begin", "keep", "read"),
)
TIME: Final = ("lapse", "come", "expire", "sweep")
KINDS: Final = (*PEOPLE, *WORKERS, *TIME)
POLICIES: Final = ("queue", "queue", "interrupt", "reject", "steer", "steer")
CHOICES, APPROVALS, SIGNALS, STEPS = ("a", "b"), ("p", "q"), ("paid", "sent"), ("x", "y")
WORDS: Final = {
    "answer": ("yes", "yes", "no", "bad"),
    "finish": ("completed", "completed", "failed"),
    "park": ("ask", "ask", "all", "signal", "sleep"),
    "signal": SIGNALS,
    "take": SIGNALS,
}
KEYS: Final = {
    "ask": (*CHOICES, *APPROVALS),
    "steers": ("s1", "s2"),
    "take": ("w1", "w2"),
    "begin": STEPS,
    "keep": STEPS,
}
ON: Final = {"lapse": "running", "come": "waiting"}  # the state in which time can do it


def possible(
    kind: str, rows: Sequence[Row], held: Sequence[Held], posts: Sequence[str], asks: Sequence[Ask]
) -> list[Act]:
    """Returns the acts of a kind that somebody might do now, sensible or not."""
    words, keys = WORDS.get(kind, ("",)), KEYS.get(kind, ("",))
    match kind:
        case "post":
            acts = [Act(kind, target=f"m{len(posts) + 1}", word=policy) for policy in POLICIES]
        case "cancel_all" | "resume_queue" | "sweep":
            acts = [Act(kind)]
        case "edit" | "withdraw":
            acts = [Act(kind, target=post) for post in posts]
        case "cancel" | "retry" | "claim" | "signal":
            acts = [Act(kind, target=row.run, word=word) for row in rows for word in words]
        case "answer" | "decline":
            acts = [Act(kind, target=ask.label, word=word) for ask in asks for word in words]
        case "expire":
            acts = [Act(kind, target=ask.label) for ask in asks if ask.state == "open"]
        case "lapse" | "come":
            acts = [Act(kind, target=row.run) for row in rows if row.state == ON[kind]]
        case _:
            acts = [Act(kind, by=claim, word=word, key=key) for claim in held for word in words for key in keys]
    return acts
