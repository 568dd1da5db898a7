"""Requests take turns: few work at once, one address never has all turns, and what waits too long is refused with a page."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.urls import reverse
from pytest_django import Settings

from chatapp.pages.body_limit import AsgiEvent, Receive, Send
from chatapp.pages.request_limit import PASSWORDS, RequestLimit, Turns
from tests.support.waiting import eventually


class SlowApplication:
    """Answers a request once `free` is set."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.sent = asyncio.Event()  # what a client that reads slowly lets happen late
        self.sent.set()
        self.at_work: list[str] = []

    async def __call__(self, scope: dict[str, Any], _receive: Receive, send: Send) -> None:
        self.at_work.append(scope["client"][0])
        await self.free.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.sent.wait()
        await send({"type": "http.response.body", "body": b"done"})


class Visitor:
    """Sends one request to the limit from the given address, and keeps the events of its response."""

    def __init__(self, limit: RequestLimit, address: str, **scope: object) -> None:
        self.events: list[AsgiEvent] = []
        self.body = b""
        self._scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "headers": [(b"accept", b"text/html")],
            "client": (address, 1),
            **scope,
        }
        self.task = asyncio.create_task(limit(self._scope, self._receive, self._send))

    @property
    def status(self) -> int:
        return int(self.events[0]["status"])

    @property
    def page(self) -> str:
        return bytes(self.events[1]["body"]).decode()

    async def _receive(self) -> AsgiEvent:
        return {"type": "http.request", "body": self.body}

    async def _send(self, event: AsgiEvent) -> None:
        self.events.append(event)


@asynccontextmanager
async def limited(
    settings: Settings, *, at_work: int, wait_s: float = 60
) -> AsyncIterator[tuple[SlowApplication, RequestLimit]]:
    settings.VIEWS_AT_WORK = settings.REQUESTS_AT_WORK = at_work
    application = SlowApplication()
    yield application, RequestLimit(application, wait_s=wait_s, password_wait_s=wait_s)
    application.free.set()
    application.sent.set()


async def test_no_more_requests_work_at_once_than_the_setting_says(settings: Settings) -> None:
    async with limited(settings, at_work=4) as (application, limit):
        visitors = [Visitor(limit, f"10.0.0.{n}") for n in range(30)]
        await eventually(lambda: len(application.at_work) == 4)
        application.free.set()
        await asyncio.gather(*(visitor.task for visitor in visitors))

    assert [visitor.status for visitor in visitors] == [200] * 30


async def test_a_crowd_of_one_address_leaves_room_for_others(settings: Settings) -> None:
    async with limited(settings, at_work=4) as (application, limit):
        crowd = [Visitor(limit, "10.0.0.1") for _ in range(30)]
        await eventually(lambda: application.at_work == ["10.0.0.1"] * 3)
        alice = Visitor(limit, "10.0.0.2")
        await eventually(lambda: "10.0.0.2" in application.at_work)
        application.free.set()
        await asyncio.gather(alice.task, *(visitor.task for visitor in crowd))


async def test_addresses_that_wait_take_turns_with_each_other() -> None:
    turns, order = Turns(1), []

    async def visit(address: str) -> None:
        assert await turns.take(address)
        order.append(address)
        turns.end(address)

    assert await turns.take("first")
    waiting = [asyncio.create_task(visit(address)) for address in ("a", "a", "a", "b")]
    await asyncio.sleep(0)
    turns.end("first")
    await asyncio.gather(*waiting)

    assert order == ["a", "b", "a", "a"]


async def test_a_turn_ends_when_the_response_begins_not_when_a_slow_reader_has_it(settings: Settings) -> None:
    async with limited(settings, at_work=1) as (application, limit):
        application.free.set()
        application.sent.clear()
        slow = Visitor(limit, "10.0.0.1")
        await eventually(lambda: slow.events)
        other = Visitor(limit, "10.0.0.2")
        await eventually(lambda: other.events)
        application.sent.set()
        await asyncio.gather(slow.task, other.task)


@pytest.mark.parametrize("leaving", [1, 900])
async def test_a_turn_passes_those_who_left_while_waiting(leaving: int) -> None:
    turns = Turns(1, waiting=2_000)
    assert await turns.take("first")
    waiting = [asyncio.create_task(turns.take("second")) for _ in range(leaving)]
    last = asyncio.create_task(turns.take("second"))
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    turns.end("first")
    await asyncio.gather(*waiting, return_exceptions=True)

    assert await last


async def test_who_waits_too_long_gets_a_page_that_loads_itself_again(settings: Settings) -> None:
    async with limited(settings, at_work=1, wait_s=0.01) as (application, limit):
        first = Visitor(limit, "10.0.0.1")
        await eventually(lambda: application.at_work)
        late = Visitor(limit, "10.0.0.2", path="/settings/")
        await late.task
        application.free.set()
        await first.task

    headers = dict(late.events[0]["headers"])
    assert late.status == 503
    assert int(headers[b"retry-after"]) > 0
    assert 'http-equiv="refresh"' in late.page
    assert "The server is busy" in late.page


async def test_a_form_that_waited_too_long_can_be_sent_again(settings: Settings) -> None:
    form = [(b"accept", b"text/html"), (b"content-type", b"application/x-www-form-urlencoded")]
    async with limited(settings, at_work=0, wait_s=0.01) as (_, limit):
        late = Visitor(limit, "10.0.0.2", method="POST", path="/s/", headers=form)
        late.body = b"text=Hello+%3Cyou%3E&client_id=7"
        await late.task

    assert late.status == 503
    assert "Hello &lt;you&gt;" in late.page
    assert 'name="client_id" value="7"' in late.page
    assert 'http-equiv="refresh"' not in late.page


async def test_a_password_is_not_written_into_the_page(settings: Settings) -> None:
    form = [(b"accept", b"text/html"), (b"content-type", b"application/x-www-form-urlencoded")]
    settings.PASSWORDS_AT_WORK = 0
    async with limited(settings, at_work=1, wait_s=0.01) as (_, limit):
        late = Visitor(limit, "10.0.0.2", method="POST", path="/sign-in/", headers=form)
        late.body = b"username=alice&password=secret"
        await late.task

    assert late.status == 503
    assert "secret" not in late.page
    assert "alice" not in late.page


async def test_a_program_gets_its_refusal_as_json(settings: Settings) -> None:
    async with limited(settings, at_work=0, wait_s=0.01) as (_, limit):
        late = Visitor(limit, "10.0.0.2", path="/api/sessions", headers=[(b"accept", b"*/*")])
        await late.task

    assert late.status == 503
    assert dict(late.events[0]["headers"])[b"retry-after"]
    assert json.loads(late.page)["error"]["code"] == "busy"


async def test_pages_that_are_read_hold_up_no_post_and_no_program(settings: Settings) -> None:
    async with limited(settings, at_work=2) as (application, limit):
        views = [Visitor(limit, f"10.0.0.{n}") for n in range(5)]
        await eventually(lambda: len(application.at_work) == 2)
        others = [
            Visitor(limit, "10.0.1.1", path="/s/", method="POST"),
            Visitor(limit, "10.0.1.2", path="/api/sessions"),
        ]
        await eventually(lambda: len(application.at_work) == 4)
        application.free.set()
        await asyncio.gather(*(visitor.task for visitor in (*views, *others)))


@pytest.mark.parametrize("path", ["/health/live", "/static/css/base.css", "/sign-in/"])
async def test_requests_at_work_hold_up_neither_health_nor_files_nor_sign_ins(settings: Settings, path: str) -> None:
    async with limited(settings, at_work=0) as (application, limit):
        application.free.set()
        await Visitor(limit, "10.0.0.2", path=path, method="POST").task

    assert application.at_work == ["10.0.0.2"]


def test_each_form_with_a_password_has_a_turn_of_its_own_kind() -> None:
    assert {reverse("sign_in"), reverse("sign_up"), reverse("admin:login")} == PASSWORDS
