"""A real worker does Runs, and they survive its death (P6, P7, P8)."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import redis

from sessions_core.models import Run
from sessions_core.protocol.author import Author
from sessions_core.protocol.events import MessageDelta, RunCancelRequested, RunRestarted
from sessions_core.protocol.ids import SessionId
from sessions_core.services import runs
from tests.agents.facts import begun, check_folds, completed, ends, of_kind, said, text, until, words
from tests.agents.worker import ROOT
from tests.db.acts import client_id, facts, kinds, say

if TYPE_CHECKING:
    from tests.agents.worker import Worker

Hire = Callable[..., "Worker"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(90)]


def script(**fields: int) -> str:
    return json.dumps(fields)


def test_a_worker_answers(session: SessionId, owner: Author, hire: Hire) -> None:
    hire()

    say(session, owner, script(words=300, every_ms=0, reason=5))
    until(lambda: ends(session))

    assert ends(session) == ["run.completed"]
    assert text(completed(session)) == words(300)
    assert completed(session).parts[0].text == words(5, "r")
    check_folds(session)


def test_after_kill_9_another_worker_begins_anew(session: SessionId, owner: Author, hire: Hire) -> None:
    first = hire()
    run = say(session, owner, script(words=100, every_ms=30)).run
    until(lambda: said(session).count(" ") > 5)
    first.kill()

    hire()
    took = until(lambda: of_kind(session, RunRestarted), within_s=15)
    until(lambda: ends(session))

    assert took < 15
    assert text(completed(session)) == words(100)
    assert ends(session) == ["run.completed"]
    assert Run.objects.get(pk=run).attempt == 2


def test_a_worker_that_slept_past_its_lease_writes_nothing_more(session: SessionId, owner: Author, hire: Hire) -> None:
    sleeper = hire()
    say(session, owner, script(words=150, every_ms=30))
    until(lambda: said(session).count(" ") > 5)
    sleeper.pause()
    hire()
    until(lambda: of_kind(session, RunRestarted), within_s=15)

    sleeper.go_on()
    until(lambda: ends(session), within_s=20)
    say(session, owner, script(words=1))  # the sleeper lives: it or the other does this one
    until(lambda: len(ends(session)) == 2)

    restarted = kinds(session).index("run.restarted")
    voided = of_kind(session, RunRestarted)[0].voided
    late = [fact for fact in facts(session)[restarted:] if isinstance(fact, MessageDelta) and fact.message in voided]
    assert not late
    assert text(completed(session)) == words(1)
    assert words(150) in said(session)
    assert sleeper.process.poll() is None


def test_stop_ends_the_run_at_once_and_nothing_is_said_after_it(session: SessionId, owner: Author, hire: Hire) -> None:
    hire()
    say(session, owner, script(words=1000, every_ms=5))
    until(lambda: said(session).count(" ") > 50)

    runs.cancel(session, by=owner, client_id=client_id())
    took = until(lambda: ends(session))

    assert took < 0.5
    after = kinds(session)[kinds(session).index(RunCancelRequested.kind) :]
    assert after == ["run.cancel_requested", "message.completed", "run.cancelled"]
    assert completed(session).state == "cancelled"
    assert text(completed(session)) == said(session)


def test_a_run_whose_message_the_broker_lost_is_found(session: SessionId, owner: Author, hire: Hire) -> None:
    say(session, owner, script(words=3))
    redis.Redis.from_url(os.environ["REDIS_URL"]).flushall()

    hire()

    until(lambda: ends(session) == ["run.completed"])


def test_a_worker_that_is_stopped_hands_its_runs_over(session: SessionId, owner: Author, hire: Hire) -> None:
    leaving = hire()
    run = say(session, owner, script(words=400, every_ms=20)).run
    until(lambda: begun(session))
    hire()
    leaving.terminate()

    took = until(lambda: of_kind(session, RunRestarted))
    until(lambda: leaving.process.poll() is not None)

    assert took < 3
    assert leaving.process.returncode == 0
    assert Run.objects.get(pk=run).handed_back == 1


@pytest.mark.parametrize("order", [{"words": 5000, "every_ms": 5}, {"silent_ms": 60_000}])
def test_the_model_is_let_go_within_half_a_second_of_stop(
    session: SessionId, owner: Author, hire: Hire, provider_url: str, order: dict[str, int]
) -> None:
    hire(CHAT_MODEL="fake", CHAT_MODEL_URL=provider_url)
    say(session, owner, json.dumps(order), agent="assistant")
    until(lambda: seen(provider_url) and (seen(provider_url)[0]["chunks"] or "silent_ms" in order))

    pressed = time.time()
    runs.cancel(session, by=owner, client_id=client_id())
    until(lambda: seen(provider_url)[0]["closed_at"])

    assert seen(provider_url)[0]["closed_at"] - pressed < 0.5
    until(lambda: ends(session) == ["run.cancelled"])


def seen(url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(url.replace("/v1", "/seen")).json()
    return found


@pytest.fixture
def provider_url() -> Iterator[str]:
    """The fake provider in a process of its own."""
    command = [sys.executable, "-m", "tests.support.fake_provider"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as provider:
        assert provider.stdout
        yield provider.stdout.readline().strip()
        provider.terminate()
