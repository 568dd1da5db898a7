"""Performs a tool call of a model: once, whatever happens to the worker. Its Step keeps how it went."""

import asyncio
import inspect
import logging
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct
from pydantic import ValidationError
from pydantic_ai.exceptions import ApprovalRequired, ModelRetry, ToolFailed
from pydantic_ai.messages import ToolCallPart, ToolReturn, ToolReturnPart
from pydantic_ai.tools import ToolDenied
from pydantic_core import PydanticSerializationError, to_jsonable_python

from agents.provider import schema
from agents.provider.approval import Approvals
from agents.sdk import AgentFailed, AgentRun, Message, steps
from agents.sdk.failure import Failure, class_name, failure_of
from agents.sdk.journal import Kept
from agents.sdk.tool import Tool
from agents.sdk.tool_call import CallContext, current
from sessions_core.protocol.events import Fact, ToolCalled, ToolReturned
from sessions_core.protocol.events import ToolFailed as ToolFailedFact
from sessions_core.protocol.text import repair, shorten

SHOWN_BYTES: Final = 16 * 1024  # of a result that stands whole in its Event; the model and the Step have all of it
NAME_CHARACTERS: Final = 64  # of a tool that the model has made up
UNKNOWN: Final = (
    "The server stopped in the middle of this call, so it is not known whether it has done its work."
    " Find out before you repeat it."
)

logger = logging.getLogger(__name__)


class Outcome(Struct, frozen=True, omit_defaults=True):
    """How a call went, and what the model is told. `ends`: the tool has ended the Run."""

    status: Literal["success", "failed", "denied", "retried"]
    content: object
    unknown: bool = False
    ends: Failure | None = None

    def part(self, call: ToolCallPart) -> ToolReturnPart[Any]:
        """Returns the result for the model. Raises AgentFailed when the tool has ended the Run."""
        if self.ends is not None:
            raise self.ends.error()
        return ToolReturnPart(call.tool_name, self.content, call.tool_call_id, outcome=self.status)


class Call:
    """One call of a tool. `key` is that of its Step; with the Run's id it names the call, for people and the outside world.

    Each of its Steps notes as `digest` the Message that its Events stand in. A Message that is voided takes them with it, so a
    later attempt writes them anew, in its own Message.
    """

    def __init__(
        self,
        run: AgentRun,
        message: Message,
        tools: Mapping[str, Tool],
        part: ToolCallPart,
        *,
        key: str,
        approvals: Approvals,
    ) -> None:
        self.part, self.key, self.id = part, key, f"{run.id}:{key}"
        self._tool = tools.get(part.tool_name)
        self._run, self._message, self._tools, self._approvals = run, message, tools, approvals
        self._journal, self._place = run.journal, str(message.id)

    async def perform(self) -> ToolReturnPart[Any]:
        """Returns the result for the model: the kept one, where an earlier attempt has come to one. Raises AgentFailed."""
        try:
            return (await self._once()).part(self.part)
        finally:
            self._journal.pass_over(self.key, marks=".-@")

    async def _once(self) -> Outcome:
        kept = await self._journal.find(self.key)
        called = kept or await self._journal.find(f"{self.key}-called")
        if kept is not None and kept.is_complete:
            outcome = msgspec.convert(kept.result, Outcome)
            await self._show(kept, self._called(), self._ended(outcome))
            return outcome
        if called is not None:
            await self._show(called, self._called())
        outcome = await self._outcome(kept)
        await self._journal.complete(self.key, msgspec.to_builtins(outcome), self._ended(outcome), digest=self._place)
        return outcome

    async def _show(self, kept: Kept, *facts: Fact) -> None:
        """Writes Events of the call in this Message, when those of before stand in another one."""
        key = f"{self.key}@{self._place}"
        if kept.digest != self._place and await self._journal.find(key) is None:
            await self._journal.complete(key, None, *facts)

    async def _outcome(self, kept: Kept | None) -> Outcome:
        if self._tool is None:
            return await self._refuse(kept, f"There is no such tool. There are: {', '.join(self._tools)}.")
        try:
            arguments = schema.arguments(self._tool, self.part.args)
        except (ValidationError, ValueError) as error:
            return await self._refuse(kept, _misfit(error))
        return await self._approved(self._tool, arguments, kept)

    async def _refuse(self, kept: Kept | None, sentence: str) -> Outcome:
        if kept is None:
            await self._journal.begin(self.key, self._called(), digest=self._place)
        return Outcome("retried", sentence)

    async def _approved(self, tool: Tool, arguments: dict[str, Any], kept: Kept | None) -> Outcome:
        """Performs the call after a person has approved it, where that is needed."""
        is_approved = await self._needs_approval(tool, arguments)
        if is_approved:
            decision = await self._approvals.decide(self, tool, key=f"{self.key}-ask")
            if isinstance(decision, ToolDenied):
                return Outcome("denied", decision.message)
            arguments = self._edited(tool, arguments, decision.override_args)
        if kept is None:
            facts = [] if tool.approve else [self._called()]
            await self._journal.begin(self.key, *facts, digest=self._place, once=not tool.idempotent)
        elif not await self._may_repeat(tool):
            return Outcome("failed", UNKNOWN, unknown=True)
        return await self._execute(tool, arguments, is_approved=is_approved)

    async def _needs_approval(self, tool: Tool, arguments: dict[str, Any]) -> bool:
        """Asks the tool's declaration. The answer is a Step of its own: by then people see the call, and it has not begun."""
        if tool.approve is False:
            return False
        key = f"{self.key}-called"
        if (kept := await self._journal.find(key)) is not None:
            return bool(kept.result)
        needed: object = tool.approve if tool.approve is True else tool.approve(self._run, **arguments)
        needed = bool(await needed if inspect.isawaitable(needed) else needed)
        await self._journal.complete(key, needed, self._called(), digest=self._place)
        return needed

    async def _may_repeat(self, tool: Tool) -> bool:
        """Returns whether a call may be made again that was cut off. Where nobody knows whether it was done, people decide, when
        the tool asks them at all.
        """
        if (
            tool.idempotent or self._run.is_resumed
        ):  # it was waiting itself: then the worker was not lost in the middle of it
            return True
        if tool.approve is False:
            return False
        key = f"{self.key}-again-{self._run.attempt}"
        return not isinstance(await self._approvals.decide(self, tool, key=key, again=True), ToolDenied)

    def _edited(self, tool: Tool, arguments: dict[str, Any], edited: dict[str, Any] | None) -> dict[str, Any]:
        return arguments if edited is None else schema.arguments(tool, edited)

    async def _execute(  # noqa: PLR0911  # each way it ends
        self, tool: Tool, arguments: dict[str, Any], *, is_approved: bool
    ) -> Outcome:
        token = current.set(CallContext(self.id, self.key, self._message.id, is_approved))
        deadline = asyncio.timeout(tool.timeout)
        try:
            with steps.within(self.key):
                async with deadline:
                    return _returned(await tool.function(self._run, **arguments))
        except (ModelRetry, ToolFailed) as told:
            return Outcome("retried" if isinstance(told, ModelRetry) else "failed", repair(told.message))
        except ApprovalRequired:
            if is_approved:
                return Outcome("failed", "The tool asks for an approval that it has.")
        except AgentFailed as failed:
            return Outcome("failed", failed.message, ends=failure_of(failed))
        except (
            Exception,
            SystemExit,
        ) as error:  # a tool is anybody's code; SystemExit would end every Run of this process
            if isinstance(error, TimeoutError) and deadline.expired():
                sentence = (
                    f"It took longer than {tool.timeout:g} s and was stopped; what it has done by then is not known."
                )
                return Outcome("failed", sentence)
            logger.exception("The tool %s failed in the Run %s.", tool.name, self._run.id)
            return Outcome("failed", f"The tool failed: {class_name(error).rpartition('.')[2]}.")
        finally:
            current.reset(token)
        return await self._execute_approved(tool, arguments)

    async def _execute_approved(self, tool: Tool, arguments: dict[str, Any]) -> Outcome:
        """Goes on with a tool that has raised ApprovalRequired: asks, and calls it again."""
        decision = await self._approvals.decide(self, tool, key=f"{self.key}-required")
        if isinstance(decision, ToolDenied):
            return Outcome("denied", decision.message)
        arguments = self._edited(tool, arguments, decision.override_args)
        self._journal.begin_again(self.key)
        return await self._execute(tool, arguments, is_approved=True)

    def _ended(self, outcome: Outcome) -> Fact:
        if outcome.status == "success":
            return ToolReturned(call=self.id, output=_shown(outcome.content), message=self._message.id, step=self.key)
        error = str(outcome.content)
        return ToolFailedFact(
            call=self.id, error=error, unknown=outcome.unknown, message=self._message.id, step=self.key
        )

    def _called(self) -> Fact:
        name = shorten(repair(self.part.tool_name), NAME_CHARACTERS)
        given = repaired(schema.input_of(self.part))
        return ToolCalled(call=self.id, name=name, input=given, message=self._message.id, step=self.key)


def repaired(value: Any) -> Any:  # noqa: ANN401  # JSON
    """Returns the value with text that the log can hold."""
    match value:
        case str():
            return repair(value)
        case list():
            return [repaired(item) for item in value]
        case dict():
            return {repair(str(key)): repaired(item) for key, item in value.items()}
        case _:
            return value


def _returned(value: object) -> Outcome:
    if isinstance(value, ToolReturn):
        value = value.return_value
    try:
        return Outcome("success", repaired(to_jsonable_python(value, fallback=msgspec.to_builtins)))
    except (PydanticSerializationError, TypeError, ValueError):
        logger.exception("A tool returned what is no JSON: %r", type(value))
        return Outcome(
            "failed", f"The tool has done its work, but returned what cannot be kept: {type(value).__name__}."
        )


def _shown(content: object) -> object:
    encoded = msgspec.json.encode(content)
    return content if len(encoded) <= SHOWN_BYTES else encoded[:SHOWN_BYTES].decode(errors="ignore") + "…"


def _misfit(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return "The arguments are no JSON object."
    wrong = (
        f"{'.'.join(map(str, one['loc'])) or 'arguments'}: {one['msg']}" for one in error.errors(include_url=False)
    )
    return "The arguments do not fit. " + "; ".join(wrong)
