"""Alice asks an agent that hands tools to the model, over real HTTP. Its workers are lost on demand."""

import asyncio
import json
from collections.abc import Sequence
from typing import Literal

from typing_extensions import override

from agents.runner.appender import Appender
from agents.runner.runner import Runner
from agents.sdk import AgentRun, Tool, agent
from sessions_core import bridge
from sessions_core.machines.feed import Span
from sessions_core.protocol.claim import WriteGrant
from sessions_core.protocol.events import Fact, MessageCompleted
from sessions_core.protocol.ids import RunId
from sessions_core.protocol.timeline import fold
from sessions_core.protocol.timeline_types import Timeline, ToolCall
from sessions_core.services.steps import NewStep
from tests.agents.assistant import Assistant
from tests.agents.harness import NAME
from tests.db.acts import read_events

Loss = Literal["before", "after"]


class Tooled(Assistant):
    """Alice's message tells the fake provider which tools to call (`fake_provider.Order.rounds`)."""

    async def use(self, *tools: Tool, **order: object) -> list[Fact]:
        """Posts, executes the Run, and returns the log."""
        return await self.execute(await self.request_use(*tools, **order))

    async def request_use(self, *tools: Tool, **order: object) -> RunId:
        async def answer(run: AgentRun) -> None:
            async with run.message() as message:
                await message.model(run.prompt(), tools=tools)

        agent(NAME, title="Tooled", description="")(answer)
        return await self.post(json.dumps(order), agent=NAME)

    async def lose_worker(self, run: RunId, at: int, loss: Loss) -> bool:
        """Executes the Run until its worker is lost before or after it writes its Step number `at`. Returns whether it was."""
        self.runner = Runner("lost")
        self.runner._appender = appender = LostAppender(self.runner, at, loss)
        await self.runner.execute(self.session, run)
        self.runner = Runner("next")
        return appender.is_lost

    async def calls(self) -> list[ToolCall]:
        """The tool calls of the newest Run, as people see them."""
        timeline = Timeline()
        fold(timeline, await bridge.run(read_events, self.session))
        return [call for call in timeline.calls.values() if call.run == str(self.run)]


class LostAppender(Appender):
    """Writes until the Step with a number; then the Runner gives its Runs away, and nothing more is written."""

    def __init__(self, runner: Runner, at: int, loss: Loss) -> None:
        super().__init__()
        self._runner, self._left, self._loss = runner, at, loss

    @property
    def is_lost(self) -> bool:
        return self._left <= 0

    @override
    async def append(self, grant: WriteGrant, facts: Sequence[Fact], *, step: NewStep | None = None) -> Span:
        self._left -= step is not None
        if self._left > 0:
            return await super().append(grant, facts, step=step)
        if self._left == 0 and self._loss == "after":
            await super().append(grant, facts, step=step)
        self._runner.drain()
        raise asyncio.CancelledError


def calls_of(*names: str, **arguments: object) -> list[dict[str, str]]:
    """Returns one round of `Order.rounds`."""
    return [{"name": name, "arguments": json.dumps(arguments)} for name in names]


def answer_of(facts: Sequence[Fact]) -> str:
    """The text of the newest completed Message."""
    completed = [fact for fact in facts if isinstance(fact, MessageCompleted)][-1]
    return "".join(part.text for part in completed.parts if part.type == "text")
