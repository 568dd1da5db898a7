"""Runs that the benchmark has claimed for long: written as a worker writes them."""

import asyncio
from collections.abc import Sequence
from time import monotonic_ns
from typing import Any
from uuid import UUID

from agents.runner.appender import Appender
from sessions_core import hints
from sessions_core.machines.feed import Span
from sessions_core.process import garbage
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import Actor, Fact, MessageDelta, MessageStarted, RunProgressed
from sessions_core.protocol.ids import MessageId, RunId, SessionId, new_message


class Runs:
    def __init__(self, claims: Sequence[Claim], *, kind: str) -> None:
        self.claims = claims
        self._kind = kind
        self._appender = Appender()
        self._messages: list[MessageId] = []
        self._offsets = [0] * len(claims)
        self._committed: dict[tuple[SessionId, int], int] = {}

    @classmethod
    async def claimed(cls, given: Sequence[dict[str, Any]], *, kind: str) -> "Runs":
        actor = Actor(kind="agent", id="script", name="Script")
        claims = [
            Claim(
                session=SessionId(UUID(one["session"])),
                run=RunId(UUID(one["run"])),
                fence=int(one["fence"]),
                actor=actor,
                agent="script",
                attempt=1,
                replies_to=None,
            )
            for one in given
        ]
        made = cls(claims, kind=kind)
        made._note_commits()
        garbage.tune()
        hints.use_loop(asyncio.get_running_loop())
        for claim in claims:
            message = new_message()
            made._messages.append(message)
            start = MessageStarted(message=message, parent=None, role="assistant", agent="script")
            await made._appender.append(claim, [start])
        return made

    async def append(self, stream: int, n: int) -> tuple[int, int]:
        """Writes the number; when it was begun, and when it was committed, in microseconds."""
        begun = monotonic_ns() // 1000
        span = await self._appender.append(self.claims[stream], [self._fact(stream, n)])
        return begun, self._committed.pop((span.session, span.end))

    async def append_many(self, stream: int, count: int) -> None:
        """Writes so many deltas together: always the same one, as pgbench does."""
        fact = MessageDelta(message=self._messages[stream], part=0, part_type="text", offset=3, text="w123 w124 ")
        span = await self._appender.append(self.claims[stream], [fact] * count)
        del self._committed[span.session, span.end]

    def _fact(self, stream: int, n: int) -> Fact:
        if self._kind == "progress":
            return RunProgressed(label=str(n))
        text, offset = f"{n} ", self._offsets[stream]
        self._offsets[stream] += len(text)
        return MessageDelta(message=self._messages[stream], part=0, part_type="text", offset=offset, text=text)

    def _note_commits(self) -> None:
        """The commit's moment is when the hint is offered, which is the first thing after it."""
        publish = hints.publish

        def noted(span: Span) -> None:
            self._committed[span.session, span.end] = monotonic_ns() // 1000
            publish(span)

        hints.publish = noted
