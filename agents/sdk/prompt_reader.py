"""Reads the conversation for a Run, cuts it to a budget, and has what was cut summarised."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from agents.sdk.journal import Journal
from agents.sdk.meter import Meter
from agents.sdk.prompt import Cut, Prompt, PromptMessage, Summarise, fit, several_write, with_names
from sessions_core.protocol.ids import MessageId
from sessions_core.protocol.step_keys import SUMMARY


class Conversation(Struct, frozen=True):
    """What was read of a conversation, oldest first. `has_earlier`: it is longer than that."""

    messages: Sequence[PromptMessage]
    has_earlier: bool = False


class History(Protocol):
    """The runner's side."""

    async def conversation(self, messages: int | None) -> Conversation:
        """Reads the conversation up to the message to answer: so many newest messages at most, and never more than the settings
        allow.
        """

    async def summaries(self, before: Collection[MessageId]) -> Mapping[MessageId, str]:
        """Returns what the agent has summarised in this Session: by the message before which a prompt was cut."""


class PromptReader:
    """`run.prompt`, for one attempt."""

    def __init__(self, history: History, journal: Journal, meter: Meter) -> None:
        self._history = history
        self._journal = journal
        self._meter = meter

    async def read(
        self, budget: int | None, *, names: bool | None, summary: Summarise | None, messages: int | None
    ) -> Prompt:
        """Returns the conversation, within the budget of tokens."""
        read = await self._history.conversation(messages)
        names = several_write(read.messages) if names is None else names
        shown = with_names(read.messages) if names else read.messages
        start = 0 if budget is None else fit(shown, budget)
        if not shown or not (start or read.has_earlier):
            return Prompt(shown, names=names)
        text = ""
        if summary is not None and budget is not None and start:
            text = await self._summary(shown[: start + 1], summary, budget)
        return Prompt(shown[start:], cut=Cut(shown[start].message, shown[start].at, text), names=names)

    async def _summary(self, messages: Sequence[PromptMessage], summarise: Summarise, budget: int) -> str:
        """Returns a summary of all messages but the last: the prompt begins with that one. A summary is made once and kept: later
        Runs of the agent use it again, so that their prompts begin alike. The next summary is made of the one before and of what
        was written since. `budget`: tokens of what a summary is made of.
        """
        *left_out, first = messages
        notes: list[PromptMessage] = []
        key = f"{SUMMARY}{first.message}"
        if (kept := await self._journal.find(key)) is not None and kept.is_complete:
            return str(kept.result)
        ids = [each.message for each in messages if each.message is not None]
        before = await self._history.summaries(ids)
        known = [(n, before[each]) for n, each in enumerate(ids) if each in before]
        if known:
            newest, text = known[-1]
            if newest == len(left_out):
                return text
            notes, left_out = [Cut(messages[newest].message, messages[newest].at, text).note], left_out[newest:]
        self._meter.count(steps=1)
        text = await summarise([*notes, *left_out[fit(left_out, budget) :]])
        return str(await self._journal.complete(key, text))
