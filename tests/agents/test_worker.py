"""Real workers execute Runs, and the Runs survive the workers (P6, P7, P8)."""

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
from tests.agents.facts import begun, check_folds, completed, ends, of_kind, said, text, words
from tests.agents.worker import ROOT
from tests.db.acts import client_id, facts, kinds, say
from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.agents.worker import WorkerProcess

StartWorker = Callable[..., "WorkerProcess"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]


def soon(fact: Callable[[], object]) -> None:
    """Waits for a fact that is there within a second on a quiet machine; loading pydantic-ai took 11 s on a busy one."""
    until(fact, within_s=30)


def script(**fields: int) -> str:
    return json.dumps(fields)


def test_a_worker_answers(session: SessionId, owner: Author, start_worker: StartWorker) -> None:
    start_worker()

    say(session, owner, script(words=300, every_ms=0, reason=5))
    soon(lambda: ends(session))

    assert ends(session) == ["run.completed"]
    assert text(completed(session)) == words(300)
    assert completed(session).parts[0].text == words(5, "r")
    check_folds(session)


def test_after_kill_9_another_worker_makes_a_new_attempt(
    session: SessionId, owner: Author, start_worker: StartWorker
) -> None:
    first = start_worker()
    run = say(session, owner, script(words=100, every_ms=30)).run
    soon(lambda: said(session).count(" ") > 5)
    first.kill()

    start_worker()
    soon(lambda: of_kind(session, RunRestarted))
    soon(lambda: ends(session))

    assert text(completed(session)) == words(100)
    assert ends(session) == ["run.completed"]
    assert Run.objects.get(pk=run).attempt == 2


def test_a_worker_that_was_frozen_past_its_lease_writes_nothing_more(
    session: SessionId, owner: Author, start_worker: StartWorker
) -> None:
    frozen = start_worker()
    say(session, owner, script(words=150, every_ms=30))
    soon(lambda: said(session).count(" ") > 5)
    frozen.pause()
    start_worker()
    soon(lambda: of_kind(session, RunRestarted))

    frozen.resume()
    soon(lambda: ends(session))
    say(session, owner, script(words=1))  # either worker may execute this one
    soon(lambda: len(ends(session)) == 2)

    restarted = kinds(session).index("run.restarted")
    voided = of_kind(session, RunRestarted)[0].voided
    late = [fact for fact in facts(session)[restarted:] if isinstance(fact, MessageDelta) and fact.message in voided]
    assert not late
    assert text(completed(session)) == words(1)
    assert words(150) in said(session)
    assert frozen.process.poll() is None


def test_stop_ends_the_run_at_once_and_no_text_follows_it(
    session: SessionId, owner: Author, start_worker: StartWorker
) -> None:
    start_worker()
    say(session, owner, script(words=1000, every_ms=5))
    soon(lambda: said(session).count(" ") > 50)

    runs.cancel(session, by=owner, client_id=client_id())
    until(lambda: ends(session), within_s=0.5)

    after = kinds(session)[kinds(session).index(RunCancelRequested.kind) :]
    assert after == ["run.cancel_requested", "message.completed", "run.cancelled"]
    assert completed(session).state == "cancelled"
    assert text(completed(session)) == said(session)


def test_a_run_whose_message_the_broker_lost_is_executed(
    session: SessionId, owner: Author, start_worker: StartWorker
) -> None:
    say(session, owner, script(words=3))
    redis.Redis.from_url(os.environ["REDIS_URL"]).flushall()

    start_worker()

    soon(lambda: ends(session) == ["run.completed"])


def test_a_worker_that_is_terminated_hands_back_its_runs(
    session: SessionId, owner: Author, start_worker: StartWorker
) -> None:
    leaving = start_worker()
    run = say(session, owner, script(words=400, every_ms=20)).run
    soon(lambda: begun(session))
    start_worker()
    leaving.terminate()

    until(lambda: of_kind(session, RunRestarted), within_s=3)
    soon(lambda: leaving.process.poll() is not None)

    assert leaving.process.returncode == 0
    assert Run.objects.get(pk=run).handed_back == 1


@pytest.mark.parametrize("order", [{"words": 5000, "every_ms": 5}, {"silent_ms": 60_000}])
def test_stop_closes_the_connection_to_the_model_within_half_a_second(
    session: SessionId, owner: Author, start_worker: StartWorker, provider_url: str, order: dict[str, int]
) -> None:
    start_worker(CHAT_MODEL="fake", CHAT_MODEL_URL=provider_url)
    say(session, owner, json.dumps(order), agent="assistant")
    soon(lambda: requests(provider_url) and (requests(provider_url)[0]["chunks"] or "silent_ms" in order))

    pressed = time.time()
    runs.cancel(session, by=owner, client_id=client_id())
    soon(lambda: requests(provider_url)[0]["closed_at"])

    assert requests(provider_url)[0]["closed_at"] - pressed < 0.5
    soon(lambda: ends(session) == ["run.cancelled"])


def requests(url: str) -> list[dict[str, Any]]:
    """The requests that the fake provider has received."""
    received: list[dict[str, Any]] = httpx.get(url.replace("/v1", "/seen")).json()
    return received


@pytest.fixture
def provider_url() -> Iterator[str]:
    """The fake provider in a process of its own."""
    command = [sys.executable, "-m", "tests.support.fake_provider"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as provider:
        assert provider.stdout
        yield provider.stdout.readline().strip()
        provider.terminate()
