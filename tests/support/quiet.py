"""A Dispatcher that wakes no worker and remembers the Runs it was given: the test acts as the worker."""

from collections.abc import Sequence
from typing import ClassVar

from sessions_core.protocol.ids import RunId, SessionId
from sessions_core.services.dispatch import AgentInfo


class QuietDispatcher:
    woken: ClassVar[list[RunId]] = []
    held: ClassVar[int] = 0  # messages in the queue
    shown: ClassVar[str] = "Script"
    code: ClassVar[int | None] = 1  # the version of the agent

    def wake(self, session: SessionId, run: RunId, agent: str) -> None:  # noqa: ARG002
        self.woken.append(run)

    def queue(self, agent: str) -> str:  # noqa: ARG002
        return "agents"

    def queued(self, queue: str) -> int | None:  # noqa: ARG002
        return self.held

    def agents(self) -> Sequence[AgentInfo]:
        return [AgentInfo(name="script", title=self.shown, description="Says what it is told.")]

    def version(self, agent: str) -> int | None:  # noqa: ARG002
        return self.code

    def default(self) -> str:
        return "script"
