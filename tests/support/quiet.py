"""A Dispatcher that wakes no worker and remembers the Runs it was given: the test acts as the worker."""

from collections.abc import Sequence
from typing import ClassVar

from sessions_core.protocol.ids import RunId
from sessions_core.services.dispatch import AgentInfo


class QuietDispatcher:
    woken: ClassVar[list[RunId]] = []

    def wake(self, run: RunId, agent: str) -> None:  # noqa: ARG002
        self.woken.append(run)

    def agents(self) -> Sequence[AgentInfo]:
        return [AgentInfo(name="script", title="Script", description="Says what it is told.")]

    def default(self) -> str:
        return "script"
