"""A Dispatcher that wakes nobody and remembers whom it should have woken: tests play the worker themselves."""

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
