"""What earlier attempts of a Run have kept, and keeping more: the side of the Journal that knows the database."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import msgspec

from agents.runner.appender import Appender
from agents.sdk.delta_buffer import DeltaBuffer
from agents.sdk.journal import Kept
from agents.sdk.message import KeptMessage
from sessions_core import log
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import Fact
from sessions_core.services import steps
from sessions_core.services.steps import KeptStep, NewStep


def read(claim: Claim) -> Mapping[str, Kept]:
    """Returns what the Run has kept, by its keys. The first attempt of a Run has nothing, so the database is not asked."""
    return {} if claim.fence == 1 else {step.key: _kept(step) for step in steps.read(claim)}


def read_messages(claim: Claim) -> list[KeptMessage]:
    """Returns the Messages of the Run that readers see, in the order of their beginning."""
    return [] if claim.fence == 1 else [KeptMessage(*each) for each in log.messages_of(claim.session, claim.run)]


def _kept(step: KeptStep) -> Kept:
    if step.result is None:
        return Kept(is_complete=False, digest=step.digest)
    return Kept(is_complete=True, result=msgspec.json.decode(step.result), digest=step.digest)


class Keeper:
    """Writes the Steps of an attempt, each after all that the attempt has said before. When a Step cannot be written, `on_error`
    stops the attempt.
    """

    def __init__(
        self, claim: Claim, appender: Appender, buffer: DeltaBuffer, on_error: Callable[[Exception], None]
    ) -> None:
        self._claim = claim
        self._appender = appender
        self._buffer = buffer
        self._on_error = on_error

    async def begin(self, key: str, *, ordinal: int, digest: str, facts: Sequence[Fact], once: bool) -> None:
        await self._write(NewStep(key=key, ordinal=ordinal, digest=digest, result=None, once=once), facts)

    async def complete(self, key: str, *, ordinal: int, digest: str, result: bytes, facts: Sequence[Fact]) -> None:
        step = NewStep(key=key, ordinal=ordinal, digest=digest, result=result)
        await self._write(step, [*facts, step.fact])

    async def _write(self, step: NewStep, facts: Sequence[Fact]) -> None:
        await self._buffer.flush()
        try:
            await self._appender.append(self._claim, facts, step=step)
        except Exception as error:
            self._on_error(error)
            raise asyncio.CancelledError from error
