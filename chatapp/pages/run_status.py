"""The line below an Answer that is awaited, waits, was stopped, failed or is not whole. static/js/ui/conversation/run-status.js
makes the same.
"""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import UNSET, Struct

from chatapp.pages.wording import progress_text, sentence
from sessions_core.protocol.events import Ended, RunWaiting
from sessions_core.protocol.run_states import RunState
from sessions_core.protocol.timeline_types import Ask, Run

STATUS_KINDS: Final = ("thinking", "queued", "waiting", "stopped", "failed", "unfinished")


class Reader(Struct, frozen=True):
    """The person who looks: `me` is the user's id, `role` the one in this Session; `agents` are titles of agents by name."""

    me: str
    agents: Mapping[str, str]
    role: str = "owner"

    def may_answer(self, ask: Ask) -> bool:
        """Returns whether the Ask is open to this person."""
        if ask.by is None:
            return self.role != "viewer"
        return self.role in ask.by.roles or self.me in ask.by.users


class RunStatus(Struct, frozen=True):
    """`kind` decides the look of the line, `offer` its button: none, “Try again” or “Go on”. `until`: a time to show after the
    text.
    """

    kind: str
    text: str
    offer: Literal["", "retry", "go_on"] = ""
    until: str = ""


class Situation(Struct, frozen=True):
    """`silent`: the Run has written no text yet; `ended`: why its last Message is not whole; `first`: no Run before it has the
    turn; `retried`: a later Run answers the same Message; `newest`: no Message of a person follows; `asks`: its open ones.
    """

    silent: bool
    ended: Ended | None
    first: bool
    retried: bool
    newest: bool
    asks: tuple[Ask, ...]


def run_status(run: Run, situation: Situation, reader: Reader) -> RunStatus | None:
    """Returns None where the Answer speaks for itself."""
    agent = reader.agents.get(run.agent, run.agent)
    retry: Literal["", "retry"] = "" if situation.retried else "retry"
    match run.state:
        case RunState.CANCELLED:
            return RunStatus("stopped", _stopped_text(run, reader), retry)
        case RunState.FAILED:
            return RunStatus("failed", run.error.message if run.error else sentence("failed"), retry)
        case RunState.INTERRUPTED:
            return RunStatus("failed", " ".join(filter(None, (sentence("interrupted"), run.reason))), retry)
        case RunState.COMPLETED:
            return _status_of_completed(situation, agent)
        case _:
            return _status_at_work(run, situation, reader, agent)


def _status_of_completed(situation: Situation, agent: str) -> RunStatus | None:
    if situation.ended:
        goes_on = situation.ended == "truncated" and not situation.retried and situation.newest
        return RunStatus("unfinished", sentence(situation.ended, agent=agent), "go_on" if goes_on else "")
    return RunStatus("stopped", sentence("empty", agent=agent)) if situation.silent else None


def _status_at_work(run: Run, situation: Situation, reader: Reader, agent: str) -> RunStatus | None:
    if run.cancel_requested_by:
        return RunStatus("thinking", sentence("stopping"))
    if run.state == RunState.REQUESTED and not situation.first and run.parent is None:
        return RunStatus("queued", sentence("queued"))
    if run.waiting:
        return _status_of_waiting(run.waiting, situation, reader)
    if run.progress:
        return RunStatus("thinking", progress_text(run.progress))
    if not situation.silent:
        return None
    return RunStatus("thinking", sentence("again" if run.attempt > 1 else "thinking", agent=agent))


def _status_of_waiting(waiting: RunWaiting, situation: Situation, reader: Reader) -> RunStatus:
    match waiting.on:
        case "ask":
            mine = any(reader.may_answer(ask) for ask in situation.asks)
            return RunStatus("waiting", sentence("waits_for_you" if mine else "waits_for_answer"))
        case "sleep":
            until = "" if waiting.until is UNSET else waiting.until
            return RunStatus("waiting", sentence("sleeps" if until else "sleeps_on"), until=until)
        case "signal":
            return RunStatus("waiting", sentence("waits_for_signal", name=waiting.signal or ""))
        case "children":
            return RunStatus("waiting", sentence("waits_for_agents"))


def _stopped_text(run: Run, reader: Reader) -> str:
    if run.cancel_requested_by is None:
        return sentence("stopped")
    if run.cancel_requested_by.id == reader.me:
        return sentence("stopped_by_you")
    return sentence("stopped_by", name=run.cancel_requested_by.name)
