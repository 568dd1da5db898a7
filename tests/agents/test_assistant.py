"""The Assistant with a real model client and a provider over real HTTP."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, cast

import pytest
from pytest_django import Settings

from agents.runner.runner import Runner
from sessions_core import bridge
from sessions_core.protocol.author import Author
from sessions_core.protocol.events import MessageCompleted, Part, RunCompleted, RunFailed
from sessions_core.protocol.ids import RunId, SessionId
from sessions_core.services import runs
from tests.agents.facts import TERMINAL, check_folds, completed, of_kind, said, text, words
from tests.db.acts import client_id, facts, say
from tests.support.fake_provider import Provider

if TYPE_CHECKING:
    from pydantic_ai.models.openai import OpenAIChatModel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def provider(settings: Settings) -> AsyncIterator[Provider]:
    from agents.provider import chat

    async with Provider() as provider:
        settings.CHAT_MODEL, settings.CHAT_MODEL_URL, settings.CHAT_MODEL_KEY = "fake", provider.url, "sk-secret"
        chat.model.cache_clear()
        yield provider
        if chat.model.cache_info().currsize:
            await cast("OpenAIChatModel", chat.model()).client.close()
    chat.model.cache_clear()


class Asked:
    """Alice asks the Assistant, and a Runner of this process answers."""

    def __init__(self, session: SessionId, owner: Author) -> None:
        self.session, self.owner = session, owner
        self.runner = Runner("w1")

    async def ask(self, **order: object) -> RunId:
        posted = await bridge.run(say, self.session, self.owner, json.dumps(order), agent="assistant")
        await self.runner.execute(posted.run)
        return posted.run

    async def failure(self, **order: object) -> RunFailed:
        await self.ask(**order)
        failed = (await bridge.run(facts, self.session))[-1]
        assert isinstance(failed, RunFailed)
        assert "sk-secret" not in failed.message
        return failed

    async def stop(self) -> None:
        stopped = await bridge.run(runs.cancel, self.session, by=self.owner, client_id=client_id())
        self.runner.cancel(stopped.runs)


@pytest.fixture
def alice_asks(session: SessionId, owner: Author, provider: Provider) -> Asked:
    return Asked(session, owner)


async def until(fact: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not fact():  # noqa: ASYNC110  # what another process or task did has no event
            await asyncio.sleep(0.005)


async def test_the_answer_is_what_the_model_said(alice_asks: Asked, provider: Provider) -> None:
    await alice_asks.ask(words=200, every_ms=1, reason=10)

    message = await bridge.run(completed, alice_asks.session)
    assert message.parts == (Part(type="reasoning", text=words(10, "r")), Part(type="text", text=words(200)))
    assert message.state == "complete"
    await bridge.run(check_folds, alice_asks.session)
    assert provider.seen[0].key == "Bearer sk-secret"


async def test_usage_is_what_the_provider_counted(alice_asks: Asked) -> None:
    await alice_asks.ask(words=7)

    done = (await bridge.run(facts, alice_asks.session))[-1]
    assert isinstance(done, RunCompleted)
    assert done.usage
    assert done.usage.output_tokens == 7
    assert not done.usage.estimated


async def test_the_model_is_shown_the_conversation(alice_asks: Asked, provider: Provider) -> None:
    await alice_asks.ask(words=2)
    await alice_asks.ask(words=3)

    roles = [(message["role"], message["content"]) for message in provider.seen[1].prompt]
    assert roles[-3:] == [("user", '{"words": 2}'), ("assistant", "w1 w2"), ("user", '{"words": 3}')]
    assert provider.seen[1].prompt[: len(provider.seen[0].prompt)] == provider.seen[0].prompt


async def test_stop_closes_the_connection_to_the_model(alice_asks: Asked, provider: Provider) -> None:
    asking = asyncio.create_task(alice_asks.ask(words=1000, every_ms=10))
    await until(lambda: provider.seen and provider.seen[0].chunks > 10)

    pressed = time.time()
    await alice_asks.stop()
    await asking

    seen = provider.seen[0]
    assert seen.closed_at
    assert seen.closed_at - pressed < 0.5
    message = await bridge.run(completed, alice_asks.session)
    assert message.state == "cancelled"
    assert text(message) == await bridge.run(said, alice_asks.session)
    assert message.usage
    assert message.usage.estimated


async def test_stop_before_the_first_token_closes_the_connection_too(alice_asks: Asked, provider: Provider) -> None:
    asking = asyncio.create_task(alice_asks.ask(silent_ms=20_000))
    await until(lambda: provider.seen)

    pressed = time.time()
    await alice_asks.stop()
    await asking

    assert provider.seen[0].closed_at
    assert provider.seen[0].closed_at - pressed < 0.5
    assert provider.seen[0].chunks == 0
    ends = [fact.kind for fact in await bridge.run(facts, alice_asks.session) if fact.kind in TERMINAL]
    assert ends == ["run.cancelled"]


async def test_a_run_stopped_before_it_is_claimed_asks_no_model(alice_asks: Asked, provider: Provider) -> None:
    posted = await bridge.run(say, alice_asks.session, alice_asks.owner, "{}", agent="assistant")
    await bridge.run(runs.cancel, alice_asks.session, by=alice_asks.owner, client_id=client_id())

    await alice_asks.runner.execute(posted.run)

    assert not provider.seen


@pytest.mark.parametrize(
    ("order", "code", "retry"),
    [
        ({"status": 401}, "model_key_refused", False),
        ({"status": 404}, "model_unknown", False),
        ({"status": 429}, "model_rate_limited", True),
        ({"status": 500}, "model_error", True),
        ({"status": 400}, "model_refused", False),
        ({"status": 400, "code": "context_length_exceeded"}, "model_too_long", False),
    ],
)
async def test_a_refusal_of_the_provider_is_a_sentence(
    alice_asks: Asked,
    order: dict[str, object],
    code: str,
    retry: bool,  # noqa: FBT001  # a column of the table
) -> None:
    failed = await alice_asks.failure(**order)

    assert (failed.code, failed.retry) == (code, retry)
    assert failed.message.endswith((".", "CHAT_MODEL_KEY"))


@pytest.mark.parametrize("cut", ["rudely", "politely"])
async def test_an_answer_cut_in_mid_stream_keeps_its_beginning(alice_asks: Asked, cut: str) -> None:
    failed = await alice_asks.failure(words=100, cut_after=20, cut=cut)

    assert (failed.code, failed.retry) == ("model_cut", True)
    message = await bridge.run(completed, alice_asks.session)
    assert message.state == "failed"
    assert text(message) == words(20)


async def test_a_silent_model_is_given_up(alice_asks: Asked, settings: Settings) -> None:
    settings.MODEL_SECONDS = 1

    failed = await alice_asks.failure(silent_ms=5000)

    assert (failed.code, failed.retry) == ("model_timeout", True)


async def test_a_model_that_falls_silent_in_mid_answer_is_given_up(alice_asks: Asked, settings: Settings) -> None:
    settings.MODEL_SECONDS = 1

    failed = await alice_asks.failure(words=2, every_ms=5000)

    assert (failed.code, failed.retry) == ("model_timeout", True)
    assert text(await bridge.run(completed, alice_asks.session)) == "w1"


async def test_a_model_that_cannot_be_reached_is_a_sentence(alice_asks: Asked, settings: Settings) -> None:
    settings.CHAT_MODEL_URL = "http://127.0.0.1:1/v1"

    failed = await alice_asks.failure()

    assert (failed.code, failed.retry) == ("model_unreachable", True)


async def test_a_missing_key_is_a_sentence(
    alice_asks: Asked, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    settings.CHAT_MODEL, settings.CHAT_MODEL_URL, settings.CHAT_MODEL_KEY = "openai:gpt-5", "", ""

    failed = await alice_asks.failure()

    assert (failed.code, failed.retry) == ("model_no_key", False)


async def test_an_unknown_kind_of_model_is_a_sentence(alice_asks: Asked, settings: Settings) -> None:
    settings.CHAT_MODEL, settings.CHAT_MODEL_URL = "nobody:nothing", ""

    failed = await alice_asks.failure()

    assert failed.code == "model_unknown"


async def test_without_a_model_the_assistant_says_how_to_set_one(alice_asks: Asked, settings: Settings) -> None:
    settings.CHAT_MODEL = ""

    failed = await alice_asks.failure()

    assert failed.code == "no_model"
    assert "CHAT_MODEL" in failed.message


@pytest.mark.parametrize("raw", [r"a\u0000b", r"a\ud800b"])
async def test_what_no_log_can_hold_is_replaced(alice_asks: Asked, raw: str) -> None:
    await alice_asks.ask(words=2, raw=raw)

    message = await bridge.run(completed, alice_asks.session)
    assert text(message) == "a�b w2"
    assert [type(fact) for fact in await bridge.run(of_kind, alice_asks.session, MessageCompleted)] == [
        MessageCompleted
    ]
