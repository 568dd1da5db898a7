"""What earlier attempts of a Run have kept, and keeping more: the side of the Journal that knows the database."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import msgspec

from agents.runner.appender import Appender
from agents.sdk.delta_buffer import DeltaBuffer
from agents.sdk.failed import AgentFailed, StateChanged
from agents.sdk.journal import KeptMessage, KeptStep, Past
from agents.sdk.state import SEEN, KeptState
from sessions_core import bridge, log
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import Conflict, TooLarge
from sessions_core.protocol.events import Fact
from sessions_core.protocol.ids import MessageId
from sessions_core.protocol.step_keys import SUMMARY
from sessions_core.services import steps
from sessions_core.services.steps import NewStep


class Keeper:
    """Reads and writes the Steps of an attempt, each after all that the attempt has said before. When one cannot be written,
    `on_error` stops the attempt; `guard` does it when the database is away while it reads.

    Of the results it holds a page in memory: they are asked for in about the order in which they were kept.
    """

    def __init__(
        self,
        claim: Claim,
        appender: Appender,
        buffer: DeltaBuffer,
        guard: Callable[[], AbstractContextManager[None]],
        *,
        on_error: Callable[[Exception], None],
    ) -> None:
        self._claim = claim
        self._appender = appender
        self._buffer = buffer
        self._guard = guard
        self._on_error = on_error
        self._page: dict[str, bytes] = {}

    async def read_past(self) -> Past:
        """Returns what the Run has kept. The first attempt has nothing, so the database is not asked."""
        if self._claim.fence == 1:
            return Past()
        with self._guard():
            past, self._page = await bridge.run(_read, self._claim)
        return past

    async def read_result(self, key: str) -> bytes:
        if key in self._page:
            return self._page.pop(key)
        with self._guard():
            found = await bridge.run(steps.read_results, self._claim, key)
        result = found.pop(key)
        self._page = found or self._page
        return result

    async def begin(self, key: str, *, ordinal: int, digest: str, facts: Sequence[Fact], once: bool) -> None:
        await self._write(NewStep(key=key, ordinal=ordinal, digest=digest, result=None, once=once), facts)

    async def complete(
        self, key: str, *, ordinal: int, digest: str, result: bytes, error: str, facts: Sequence[Fact], is_shown: bool
    ) -> None:
        step = NewStep(key=key, ordinal=ordinal, digest=digest, result=result, error=error)
        await self._write(step, [*facts, step.fact] if is_shown else facts)

    async def read_state(self) -> dict[str, Any]:
        with self._guard():
            return await bridge.run(steps.read_state, self._claim.session, self._claim.agent)

    async def save_state(
        self, key: str, *, ordinal: int, result: bytes, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> None:
        await self._buffer.flush()
        step = NewStep(key=key, ordinal=ordinal, digest="", result=result)
        try:
            with self._guard():
                await bridge.run(steps.save_state, self._claim, step, before=before, after=after)
        except Conflict as error:
            raise StateChanged from error
        except TooLarge as error:
            raise AgentFailed("state_too_large", error.message) from error

    async def _write(self, step: NewStep, facts: Sequence[Fact]) -> None:
        await self._buffer.flush()
        try:
            await self._appender.append(self._claim, facts, step=step)
        except Exception as error:
            self._on_error(error)
            raise asyncio.CancelledError from error


def read_beginning_state(claim: Claim) -> KeptState:
    """Returns what the agent keeps in the Session: as the Run has seen it before, where it has."""
    seen = None if claim.fence == 1 else steps.read_small_result(claim, SEEN)
    if seen is None:
        return KeptState(steps.read_state(claim.session, claim.agent))
    return KeptState(msgspec.json.decode(seen), is_seen=True)


def read_summaries(claim: Claim, before: Collection[MessageId]) -> Mapping[MessageId, str]:
    """Returns what the agent has summarised in this Session, by the Message before which a prompt was cut."""
    keys = {f"{SUMMARY}{message}": message for message in before}
    found = steps.find_summaries(claim.session, claim.agent, list(keys))
    return {keys[key]: msgspec.json.decode(result, type=str) for key, result in found.items()}


def _read(claim: Claim) -> tuple[Past, dict[str, bytes]]:
    kept = steps.read(claim)
    past = Past(
        steps={step.key: KeptStep(step.is_complete, step.is_failed, step.digest) for step in kept},
        elsewhere=steps.read_other_keys(claim),
        messages=[KeptMessage(*each) for each in log.messages_of(claim.session, claim.run)],
    )
    return past, {step.key: step.result for step in kept if step.result is not None}
