"""Alice posts, and a Runner of this process executes the Run: no Celery, no worker process."""

import asyncio
from datetime import timedelta
from typing import Final

import pytest

from agents.runner.runner import Runner
from agents.sdk import registry
from agents.sdk.registry import AgentFunction, agent
from sessions_core import bridge
from sessions_core.models import Ask, Run
from sessions_core.protocol.author import Author
from sessions_core.protocol.events import Fact, Part
from sessions_core.protocol.ids import AskId, RunId, SessionId
from sessions_core.services import asks, messages, runs, signals, waiting
from tests.agents.facts import check_folds
from tests.db.acts import facts, new_client_id, post_message

NAME: Final = "tried"  # of the agent that `request` registers
LONG_AGO: Final = "2020-01-01T00:00:00Z"


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
        self.change_code(function)
        return await self.post("hello", agent=NAME)

    def change_code(self, function: AgentFunction) -> None:
        """The function is the agent now, for the Runs that wait, too."""
        registry._registered.pop(NAME, None)
        agent(NAME, title="Tried", description="")(function)

    async def post(self, text: str, *, agent: str) -> RunId:
        self.run = (await bridge.run(post_message, self.session, self.owner, text, agent=agent)).run
        return self.run

    async def execute(self, run: RunId) -> list[Fact]:
        await self.runner.execute(self.session, run)
        await bridge.run(check_folds, self.session)
        return await bridge.run(facts, self.session)

    async def ask_and_lose_worker(self, function: AgentFunction, lost: asyncio.Event) -> list[Fact]:
        """As `ask`, but the worker counts as killed once the function has set `lost`, and another one takes the Run over."""
        task = await self.start(function, lost)
        first = self.runner
        await bridge.run(lambda: Run.objects.update(lease_until=LONG_AGO))
        log = await self.go_on()
        first.drain()
        await task
        return log

    async def go_on(self) -> list[Fact]:
        """A worker of another process goes on with the Run."""
        self.runner = Runner("w2")
        return await self.execute(self.run)

    async def open_ask(self) -> AskId:
        return AskId((await bridge.run(Ask.objects.get, state="open")).pk)

    async def answer_ask(self, value: object, ask: AskId | None = None) -> None:
        """Alice answers the question; without `ask` the only one that is open."""
        ask = ask or await self.open_ask()
        await bridge.run(asks.answer, self.session, ask, by=self.owner, client_id=new_client_id(), value=value)

    async def signal(self, name: str, value: object) -> None:
        """The API sends a signal to the Run."""
        client_id = new_client_id()
        await bridge.run(signals.send, self.session, self.run, name, by=self.owner, client_id=client_id, value=value)

    async def steer(self, text: str) -> None:
        """Alice writes to the Run while it works, and its worker hears of it."""
        part, client_id = Part(type="text", text=text), new_client_id()
        await bridge.run(messages.post, self.session, by=self.owner, parts=[part], policy="steer", client_id=client_id)
        self.runner.steer([self.run])

    async def stop(self, *, hint: bool = True) -> None:
        """Alice presses Stop; without `hint` the Runner does not hear of it."""
        stopped = await bridge.run(runs.cancel, self.session, by=self.owner, client_id=new_client_id())
        if hint:
            self.runner.cancel(stopped.runs)

    async def row(self) -> Run:
        return await bridge.run(Run.objects.get, pk=self.run)


def move_clock(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Lets Runs see another time than that of the database."""
    now = waiting.now
    monkeypatch.setattr(waiting, "now", lambda: now() + by)
