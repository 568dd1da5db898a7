"""The acts, as values: a name and what it is done to, by label. A Message is called by its text, a Run by `message/n`."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec


class Act(NamedTuple):
    """What somebody does. `by`: the claim of a worker; `target`: a Run or a Message; `word`: how."""

    name: str
    target: str = ""
    by: "Held | None" = None
    word: str = ""
    new: bool = False


class Held(NamedTuple):
    """A claim that a worker was given once, and may believe in for ever."""

    run: str
    fence: int
    attempt: int


class Row(msgspec.Struct):
    """A Run as its row has it. `lapsed`: its lease is over. `due`: what it waits for has come."""

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
    due: bool = False


Fact = tuple[object, ...]  # the kind, the Run, and what else matters
PEOPLE: Final = ("post", "cancel", "cancel_all", "retry", "edit", "withdraw", "resume_queue")
WORKERS: Final = ("claim", "write", "complete", "heartbeat", "release", "finish", "park")
TIME: Final = ("lapse", "come", "sweep")
KINDS: Final = (*PEOPLE, *WORKERS, "claim", "write", *TIME)
POLICIES: Final = ("queue", "queue", "interrupt", "reject")
WORDS: Final = {"finish": ("completed", "completed", "failed"), "park": ("sleep", "signal")}
ON: Final = {"lapse": "running", "come": "waiting"}  # the state in which time can do it


def possible(kind: str, rows: Sequence[Row], held: Sequence[Held], posts: Sequence[str]) -> list[Act]:
    """Returns the acts of a kind that somebody might do now, sensible or not."""
    match kind:
        case "post":
            acts = [Act(kind, target=f"m{len(posts) + 1}", word=policy) for policy in POLICIES]
        case "cancel_all" | "resume_queue" | "sweep":
            acts = [Act(kind)]
        case "edit" | "withdraw":
            acts = [Act(kind, target=post) for post in posts]
        case "cancel" | "retry" | "claim":
            acts = [Act(kind, target=row.run) for row in rows]
        case "lapse" | "come":
            acts = [Act(kind, target=row.run) for row in rows if row.state == ON[kind]]
        case "finish" | "park":
            acts = [Act(kind, by=claim, word=word) for claim in held for word in WORDS[kind]]
        case _:
            acts = [Act(kind, by=claim) for claim in held]
    return acts
