"""Approvals of tool calls: pydantic-ai's deferred results, decided by people through Asks."""

from typing import TYPE_CHECKING, Final

from pydantic_ai.tools import ToolApproved, ToolDenied

from agents.provider import schema
from agents.sdk.approval import ApprovalAsk, ApprovalAsker
from agents.sdk.tool import Tool

if TYPE_CHECKING:
    from agents.provider.calls import Call

DECLINED: Final = "The person did not allow this call."


class Approvals:
    """Asks people about the calls of a Run."""

    def __init__(self, ask: ApprovalAsker) -> None:
        self._ask = ask

    async def decide(self, call: "Call", tool: Tool, *, key: str, again: bool = False) -> ToolApproved | ToolDenied:
        """Returns what a person says about the call, or a consent that was given before. `again`: nobody knows whether the call
        was made already, so a consent does not do.
        """
        title = f"“{tool.title}” was cut off and may have been done. Do it again?" if again else tool.title
        approval = await self._ask(
            ApprovalAsk(
                key=key,
                title=title,
                schema=schema.parameters(tool),
                default=schema.input_of(call.part),
                call=call.id,
                tool=tool.name,
                may_be_remembered=not again,
            )
        )
        if approval.approve:
            return ToolApproved(override_args=approval.input)
        return ToolDenied(f"{DECLINED} They wrote instead: {approval.note}" if approval.note else DECLINED)
