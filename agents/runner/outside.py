"""What an agent asks of the world outside its worker, answered by the services and the log."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from agents.runner import history, kept
from agents.runner.steers import Steers
from agents.sdk.failed import AgentFailed
from agents.sdk.outside import AskOutcome, NewAsk, ReceivedSignal, Steer
from agents.sdk.prompt_reader import Conversation
from sessions_core import bridge
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.errors import LimitReached
from sessions_core.protocol.events import Fact
from sessions_core.protocol.ids import MessageId
from sessions_core.services import asks, consents, runs, signals, waiting


class Services:
    """The services, for one attempt. `guard` stops the attempt when the database is away or the attempt was fenced out."""

    def __init__(self, claim: Claim, steers: Steers, guard: Callable[[], AbstractContextManager[None]]) -> None:
        self._claim = claim
        self._steers = steers
        self._guard = guard

    async def conversation(self, messages: int | None) -> Conversation:
        with self._guard():
            return await bridge.run(history.read_prompt, self._claim, messages)

    async def summaries(self, before: Collection[MessageId]) -> Mapping[MessageId, str]:
        with self._guard():
            return await bridge.run(kept.read_summaries, self._claim, before)

    async def now(self) -> datetime:
        with self._guard():
            return await bridge.run(waiting.now)

    async def ask(self, key: str, ask: NewAsk) -> AskOutcome:
        try:
            with self._guard():
                outcome = await bridge.run(
                    asks.open_ask,
                    self._claim,
                    key,
                    title=ask.title,
                    kind=ask.kind,
                    schema=ask.schema,
                    expires_at=ask.expires_at,
                    responders=ask.responders,
                    default=ask.default,
                    call=ask.call,
                    tool=ask.tool,
                )
        except LimitReached as error:
            raise AgentFailed(error.code, str(error), retry=False) from error
        return AskOutcome(
            ask=outcome.ask,
            is_open=outcome.state == "open",
            value=outcome.value,
            end=outcome.end,
            message=outcome.message,
        )

    async def is_granted(self, tool: str, schema: Mapping[str, Any]) -> bool:
        with self._guard():
            return await bridge.run(consents.is_granted, self._claim.session, self._claim.agent, tool, schema)

    async def signal(self, name: str, key: str) -> ReceivedSignal | None:
        with self._guard():
            taken = await bridge.run(signals.take, self._claim, name, key)
        return None if taken is None else ReceivedSignal(taken.value)

    async def void(self, message: MessageId) -> None:
        with self._guard():
            await bridge.run(runs.void_message, self._claim, message)

    async def steers(self, key: str, before: Sequence[Fact]) -> list[Steer]:
        with self._guard():
            taken = await self._steers.take(key, before=before)
        return [Steer(text=each.text, author=each.author.name) for each in taken]
