"""Writes to Runs as a worker does, with its Appender. The Runs were claimed by bench.load.claims."""

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
    async def begin(cls, given: Sequence[dict[str, Any]], *, kind: str) -> "Runs":
        actor = Actor(kind="agent", id="script", name="Script")
        claims = [
            Claim(
                session=SessionId(UUID(each["session"])),
                run=RunId(UUID(each["run"])),
                fence=int(each["fence"]),
                actor=actor,
                agent="script",
                attempt=1,
                replies_to=None,
            )
            for each in given
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
        """Appends the number. Returns the times of the call and of the commit, in microseconds."""
        called = monotonic_ns() // 1000
        span = await self._appender.append(self.claims[stream], [self._fact(stream, n)])
        return called, self._committed.pop((span.session, span.end))

    async def append_many(self, stream: int, count: int) -> None:
        """Appends `count` deltas in one write: always the same delta, as pgbench does."""
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
        """Replaces `hints.publish`, which is the first call after a commit, to note the time."""
        publish = hints.publish

        def noted(span: Span) -> None:
            self._committed[span.session, span.end] = monotonic_ns() // 1000
            publish(span)

        hints.publish = noted
