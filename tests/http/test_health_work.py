"""/health/work: whether answers are being worked on."""

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from sessions_core.models import Run
from sessions_core.protocol.events import RunCompleted
from sessions_core.services import runs, workers
from tests.http.clients import claim_run, create_session, post_message

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)  # the check has a thread and a connection of its own


@pytest.fixture
def anyone() -> Client:
    return Client()


def test_without_a_living_worker_nothing_is_worked_on(anyone: Client) -> None:
    answer = anyone.get("/health/work")

    assert answer.status_code == 503
    assert "No worker is alive" in answer.json()["error"]["message"]


def test_a_living_worker_is_work(anyone: Client) -> None:
    workers.mark_seen("w1", ["script"])

    assert anyone.get("/health/work").json() == {"working": True}


def test_a_run_that_waited_for_its_turn_is_no_alarm(anyone: Client, alice: "User") -> None:
    workers.mark_seen("w1", ["script"])
    session = create_session(by=alice)
    first = claim_run(post_message(session, alice).run)
    post_message(session, alice)
    Run.objects.update(requested_at="2000-01-01T00:00Z")
    runs.finish(first, RunCompleted())

    assert anyone.get("/health/work").json() == {"working": True}


def test_runs_that_wait_for_long_are_said(anyone: Client, alice: "User") -> None:
    workers.mark_seen("w1", ["script"])
    post_message(create_session(by=alice), alice)
    Run.objects.update(requested_at="2000-01-01T00:00Z")

    answer = anyone.get("/health/work")

    assert answer.status_code == 503
    assert "have waited" in answer.json()["error"]["message"]
