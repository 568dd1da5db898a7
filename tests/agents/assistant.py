"""Alice asks the Assistant, with a real model client and the fake provider over real HTTP."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

from pytest_django import Settings

from sessions_core.protocol.events import Fact, RunFailed
from tests.agents.harness import Harness
from tests.support.fake_provider import Provider

if TYPE_CHECKING:
    from pydantic_ai.models.openai import OpenAIChatModel


class Assistant(Harness):
    """Alice's message tells the fake provider what to do (`fake_provider.Order`)."""

    async def answer(self, **order: object) -> list[Fact]:
        return await self.execute(await self.post(json.dumps(order), agent="assistant"))

    async def fail(self, **order: object) -> RunFailed:
        failed = (await self.answer(**order))[-1]
        assert isinstance(failed, RunFailed)
        assert "sk-secret" not in failed.message
        return failed


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Provider]:
    """Serves as the provider that the settings name."""
    from agents.provider import chat

    async with Provider() as provider:
        settings.CHAT_MODEL, settings.CHAT_MODEL_URL, settings.CHAT_MODEL_KEY = "fake", provider.url, "sk-secret"
        chat.model.cache_clear()
        yield provider
        if chat.model.cache_info().currsize:
            await cast("OpenAIChatModel", chat.model()).client.close()
    chat.model.cache_clear()
