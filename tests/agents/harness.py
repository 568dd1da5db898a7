"""Alice posts, and a Runner of this process executes the Run: no Celery, no worker process."""

import asyncio
from typing import Final

from agents.runner.runner import Runner
from agents.sdk.registry import AgentFunction, agent
from sessions_core import bridge
from sessions_core.models import Run
from sessions_core.protocol.author import Author
from sessions_core.protocol.events import Fact
from sessions_core.protocol.ids import RunId, SessionId
from sessions_core.services import runs
from tests.agents.facts import check_folds
from tests.db.acts import facts, new_client_id, post_message

NAME: Final = "tried"  # of the agent that `request` registers


class Harness:
    def __init__(self, session: SessionId, owner: Author) -> None:
        self.session, self.owner = session, owner
        self.runner = Runner("w1")
        self.run: RunId  # the newest one

    async def ask(self, function: AgentFunction) -> list[Fact]:
        """Posts to the function as an agent, executes the Run, and returns the log."""
        return await self.execute(await self.request(function))

    async def start(self, function: AgentFunction, begun: asyncio.Event) -> "asyncio.Task[list[Fact]]":
        """As `ask`, in a task. Returns when the function has set `begun`."""
        task = asyncio.create_task(self.ask(function))
        await begun.wait()
        return task

    async def request(self, function: AgentFunction) -> RunId:
        """Posts to the function as an agent; nothing executes the Run yet."""
        agent(NAME, title="Tried", description="")(function)
        return await self.post("hello", agent=NAME)

    async def post(self, text: str, *, agent: str) -> RunId:
        self.run = (await bridge.run(post_message, self.session, self.owner, text, agent=agent)).run
        return self.run

    async def execute(self, run: RunId) -> list[Fact]:
        await self.runner.execute(self.session, run)
        await bridge.run(check_folds, self.session)
        return await bridge.run(facts, self.session)

    async def stop(self, *, hint: bool = True) -> None:
        """Alice presses Stop; without `hint` the Runner does not hear of it."""
        stopped = await bridge.run(runs.cancel, self.session, by=self.owner, client_id=new_client_id())
        if hint:
            self.runner.cancel(stopped.runs)

    async def row(self) -> Run:
        return await bridge.run(Run.objects.get, pk=self.run)
