"""Approvals: a person decides whether a tool call is made, and with which arguments."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from agents.sdk.journal import Journal
from agents.sdk.outside import NewAsk, Outside
from agents.sdk.waits import Waiting, Waits


class ApprovalAsk(Struct, frozen=True, kw_only=True):
    """The Ask for one tool call: `schema` is that of its arguments, `default` those that the model has chosen. Without
    `may_be_remembered` no consent of before answers it.
    """

    key: str
    title: str
    schema: Mapping[str, Any]
    default: object
    call: str
    tool: str
    may_be_remembered: bool = True


class Approval(Struct, frozen=True):
    """What a person has decided. `input`: the arguments, when they were edited. `note`: what was written instead of an answer."""

    approve: bool
    input: dict[str, Any] | None = None
    note: str = ""


class ApprovalAsker:
    """Asks people about tool calls."""

    def __init__(self, journal: Journal, outside: Outside, waits: Waits, settle: Callable[[], Awaitable[None]]) -> None:
        self._journal, self._outside, self._waits, self._settle = journal, outside, waits, settle

    async def __call__(self, ask: ApprovalAsk) -> Approval:
        """Returns the decision of a person, or the consent that was given before. Waits in the database."""
        if ask.may_be_remembered and await self._is_granted(ask):
            return Approval(approve=True)
        tool = ask.tool if ask.may_be_remembered else ""
        new = NewAsk(ask.title, "approval", ask.schema, default=ask.default, call=ask.call, tool=tool)
        await self._settle()
        while (outcome := await self._outside.ask(ask.key, new)).is_open:
            await self._waits.wait(Waiting("ask", ask=outcome.ask))
        if outcome.end is not None:
            return Approval(approve=False, note=outcome.message or "")
        return msgspec.convert(outcome.value, Approval)

    async def _is_granted(self, ask: ApprovalAsk) -> bool:
        """Looks once: the answer to this Ask may be a consent, and other arguments may stand in it."""
        key = f"{ask.key}-granted"
        if (kept := await self._journal.find(key)) is not None:
            return bool(kept.result)
        return bool(await self._journal.complete(key, await self._outside.is_granted(ask.tool, ask.schema)))
