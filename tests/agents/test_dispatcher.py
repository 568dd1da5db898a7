"""Waking a worker never fails and never blocks."""

import socket

import pytest
from celery import Celery
from pytest_django import Settings

from agents.dispatcher import CeleryDispatcher
from sessions_core.protocol.ids import new_run, new_session
from tests.support.waiting import until


@pytest.mark.parametrize("broker", ["redis://127.0.0.1:1/0", "redis+socket:///nowhere.sock"])
def test_a_dead_broker_raises_nothing(broker: str, caplog: pytest.LogCaptureFixture) -> None:
    from chatapp.celery import app

    other = Celery("other", broker=broker)
    other.conf.broker_transport_options = app.conf.broker_transport_options
    other.set_current()
    try:
        CeleryDispatcher().wake(new_session(), new_run(), "script")
    finally:
        app.set_current()

    until(lambda: "could not be told" in caplog.text)


def test_a_broker_that_never_answers_costs_a_bounded_number_of_messages(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts the connection and never answers
        other = Celery("other", broker=f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        from chatapp.celery import app

        # A wake that waited for the broker would wait for longer than a test may take.
        other.conf.broker_transport_options = {**app.conf.broker_transport_options, "socket_timeout": 3600}
        other.set_current()
        try:
            dispatcher = CeleryDispatcher(max_pending=3)
            for _ in range(10):
                dispatcher.wake(new_session(), new_run(), "script")
        finally:
            app.set_current()

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
