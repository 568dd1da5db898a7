"""Real workers execute Runs, and the Runs survive the workers (P6, P7, P8)."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import redis
from django.conf import settings as django_settings
from pytest_django import Settings

from agents import tasks
from agents.runner.worker import new_loop
from sessions_core.models import Run
from sessions_core.protocol.author import Author
from sessions_core.protocol.events import MessageDelta, RunCancelRequested, RunRestarted
from sessions_core.protocol.ids import SessionId
from sessions_core.services import runs
from tests.agents.facts import begun, check_folds, completed, ends, of_kind, said, text, words
from tests.agents.worker import ROOT
from tests.db.acts import facts, kinds, new_client_id, post_message
from tests.support.scripts import allow, script
from tests.support.waiting import DEADLINE_S, until

if TYPE_CHECKING:
    from tests.agents.worker import WorkerProcess

StartWorker = Callable[..., "WorkerProcess"]

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_worker_answers(session: SessionId, owner: Author, start_worker: StartWorker) -> None:
    start_worker()

    post_message(session, owner, script(words=300, every_ms=0, reason=5))
    until(lambda: ends(session))

    assert ends(session) == ["run.completed"]
    assert text(completed(session)) == words(300)
    assert completed(session).parts[0].text == words(5, "r")
    check_folds(session)


def test_after_kill_9_another_worker_makes_a_new_attempt(
    session: SessionId, owner: Author, start_worker: StartWorker
) -> None:
    first = start_worker()
    run = post_message(session, owner, script(words=100, wait_at=6)).run
    until(lambda: said(session) == words(6))
    first.kill()

    start_worker()
    until(lambda: of_kind(session, RunRestarted))
    allow(django_settings.VAR_DIR, session, 100)
    until(lambda: ends(session))

    assert text(completed(session)) == words(100)
    assert ends(session) == ["run.completed"]
    assert Run.objects.get(pk=run).attempt == 2


def test_a_worker_that_was_frozen_past_its_lease_writes_nothing_more(
    session: SessionId, owner: Author, start_worker: StartWorker
) -> None:
    frozen = start_worker()
    post_message(session, owner, script(words=150, wait_at=6))
    until(lambda: said(session) == words(6))
    frozen.pause()
    start_worker()
    until(lambda: of_kind(session, RunRestarted))

    allow(django_settings.VAR_DIR, session, 150)
    frozen.resume()
    until(lambda: ends(session))
    post_message(session, owner, script(words=1))  # either worker may execute this one
    until(lambda: len(ends(session)) == 2)

    restarted = kinds(session).index("run.restarted")
    voided = of_kind(session, RunRestarted)[0].voided
    late = [fact for fact in facts(session)[restarted:] if isinstance(fact, MessageDelta) and fact.message in voided]
    assert not late
    assert text(completed(session)) == words(1)
    assert words(150) in said(session)
    assert frozen.process.poll() is None


def test_stop_ends_the_run_and_no_text_follows_it(session: SessionId, owner: Author, start_worker: StartWorker) -> None:
    start_worker()
    post_message(session, owner, script(words=1000, every_ms=5, wait_at=999))
    until(lambda: said(session).count(" ") > 50)

    runs.cancel(session, by=owner, client_id=new_client_id())
    until(lambda: ends(session))

    after = kinds(session)[kinds(session).index(RunCancelRequested.kind) :]
    assert after == ["run.cancel_requested", "message.completed", "run.cancelled"]
    assert completed(session).state == "cancelled"
    assert text(completed(session)) == said(session)


def test_a_run_whose_message_the_broker_lost_is_executed(
    session: SessionId, owner: Author, start_worker: StartWorker
) -> None:
    post_message(session, owner, script(words=3))
    redis.Redis.from_url(os.environ["REDIS_URL"]).flushall()

    start_worker()

    until(lambda: ends(session) == ["run.completed"])


def test_a_worker_that_is_terminated_hands_back_its_runs(
    session: SessionId, owner: Author, start_worker: StartWorker
) -> None:
    leaving = start_worker()
    run = post_message(session, owner, script(wait_at=1)).run
    until(lambda: begun(session))
    start_worker()
    leaving.terminate()

    until(lambda: of_kind(session, RunRestarted))
    until(lambda: leaving.process.poll() is not None)

    assert leaving.process.returncode == 0
    assert Run.objects.get(pk=run).handed_back == 1


@pytest.mark.parametrize("order", [{"words": 20, "wait_at": 10}, {"wait_at": 0}])
def test_stop_closes_the_connection_to_the_model(
    session: SessionId, owner: Author, start_worker: StartWorker, provider_url: str, order: dict[str, int]
) -> None:
    start_worker(CHAT_MODEL="fake", CHAT_MODEL_URL=provider_url)
    post_message(session, owner, json.dumps(order), agent="assistant")
    until(lambda: requests(provider_url) and requests(provider_url)[0]["chunks"] == order["wait_at"])

    runs.cancel(session, by=owner, client_id=new_client_id())

    until(lambda: requests(provider_url)[0]["closed"])
    until(lambda: ends(session) == ["run.cancelled"])


def test_a_worker_with_another_pool_is_refused_with_a_sentence() -> None:
    command = [sys.executable, "-m", "celery", "-A", "chatapp", "worker", "--pool", "solo"]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert "not in the pool “solo”: start it with `--pool threads`" in ended.stderr


@pytest.mark.parametrize("pool", ["solo", "prefork"])
def test_threads_are_the_only_pool(pool: str) -> None:
    with pytest.raises(SystemExit, match=pool):
        tasks.check_pool(SimpleNamespace(pool_cls=pool))

    tasks.check_pool(SimpleNamespace(pool_cls="threads"))


def test_each_run_of_a_worker_can_block_a_thread_at_once(settings: Settings) -> None:
    settings.WORKER_RUNS = 100
    all_block = threading.Barrier(settings.WORKER_RUNS, timeout=DEADLINE_S)
    loop = new_loop()

    async def block() -> None:
        await asyncio.gather(*(asyncio.to_thread(all_block.wait) for _ in range(settings.WORKER_RUNS)))

    loop.run_until_complete(block())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


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
