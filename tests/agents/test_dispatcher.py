"""Waking a worker never fails and never blocks."""

import socket
import time

import pytest
from celery import Celery
from pytest_django import Settings

from agents.dispatcher import CeleryDispatcher
from sessions_core.protocol.ids import new_run
from tests.support.waiting import until


@pytest.mark.parametrize("broker", ["redis://127.0.0.1:1/0", "redis+socket:///nowhere.sock"])
def test_a_dead_broker_neither_raises_nor_blocks(broker: str, caplog: pytest.LogCaptureFixture) -> None:
    from chatapp.celery import app

    other = Celery("other", broker=broker)
    other.conf.broker_transport_options = app.conf.broker_transport_options
    other.set_current()
    try:
        began = time.monotonic()
        CeleryDispatcher().wake(new_run(), "script")
        took = time.monotonic() - began
    finally:
        app.set_current()

    assert took < 1
    until(lambda: "could not be told" in caplog.text)


def test_a_broker_that_never_answers_costs_a_bounded_number_of_messages(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts the connection and never answers
        other = Celery("other", broker=f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        from chatapp.celery import app

        other.conf.broker_transport_options = app.conf.broker_transport_options
        other.set_current()
        try:
            dispatcher = CeleryDispatcher(max_pending=3)
            began = time.monotonic()
            for _ in range(10):
                dispatcher.wake(new_run(), "script")
            took = time.monotonic() - began
        finally:
            app.set_current()

    assert took < 1
    assert caplog.text.count("left to the sweeper") >= 6
    until(lambda: caplog.text.count("could not be told") + caplog.text.count("left to the sweeper") == 10)


def test_the_guide_answers_until_a_model_is_set(settings: Settings) -> None:
    settings.CHAT_MODEL = ""
    assert CeleryDispatcher().default() == "guide"
    settings.CHAT_MODEL = "openai:gpt-5"
    assert CeleryDispatcher().default() == "assistant"


def test_the_default_comes_first_in_the_list(settings: Settings) -> None:
    settings.CHAT_MODEL = ""

    names = [info.name for info in CeleryDispatcher().agents()]

    assert names == ["guide", "assistant", "script"]


def test_every_agent_has_a_task_of_its_own() -> None:
    from agents import tasks  # noqa: F401  # what Celery imports
    from chatapp.celery import app

    app.finalize()

    assert {"agents.assistant", "agents.guide", "agents.script"} <= set(app.tasks)
