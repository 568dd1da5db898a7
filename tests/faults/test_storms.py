"""Strangers try passwords, and somebody opens pages that are hard to render. Other people's posts go through, and in time."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import uuid4

import httpx
import msgspec
import pytest

from tests.faults import conversations
from tests.faults.conftest import Play
from tests.faults.rounds import Round, Scale
from tests.faults.system import Person, System
from tests.support.waiting import DEADLINE_S

# Few tabs: this process has their work, too, and what it measures is the server's.
FEW: Final = Scale(people=4, tabs=1, sessions=2)
EVERY_S: Final = 0.3  # between two posts
# Writes answers of 30,000 characters into a Session of the person, and prints its id and a cookie of the person's.
HOSTILE: Final = """
import msgspec
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from sessions_core import log
from sessions_core.protocol.events import Actor, MessageCompleted, MessagePosted, MessageStarted, Part
from sessions_core.protocol.ids import new_message
from sessions_core.services import access, sessions
user, agent, browser = User.objects.get(pk={user}), Actor(kind="agent", id="script", name="Script"), Client()
session = sessions.create(by=access.author(user), agent="script")
said = None
for text in {texts}:
    before, asked, said = said, new_message(), new_message()
    question, answer = ((Part(type="text", text=each),) for each in ("hi", text))
    log.append(session, [
        MessagePosted(message=asked, parent=before, role="user", parts=question, client_id=None, state="sent", device=None),
        MessageStarted(message=said, parent=asked, role="assistant", agent="script"),
        MessageCompleted(message=said, parts=answer, state="complete"),
    ], actor=agent)
browser.force_login(user)
cookie = browser.cookies[settings.SESSION_COOKIE_NAME]
print(msgspec.json.encode([str(session), cookie.key, cookie.value]).decode())
"""


async def test_posts_go_through_while_strangers_try_passwords(
    world: System, people: list[Person], play: Play, *, is_long: bool
) -> None:
    count = 300 if is_long else 60
    async with play(f"{count} wrong passwords at once", FEW) as round, _posts_beside(round, world, people[1]):
        answers = await _at_once(lambda: _guess(world), count)

    assert set(answers) <= {200, 429, 503}
    assert 200 in answers


@pytest.mark.parametrize(
    "texts", [["[" * 30_000], ["![" * 15_000, "**a" * 10_000, "|a\n|-\n" * 5_000]], ids=["brackets", "all"]
)
async def test_posts_go_through_while_pages_are_rendered(
    world: System, people: list[Person], play: Play, texts: list[str], *, is_long: bool
) -> None:
    if len(texts) > 1 and not is_long:
        pytest.skip("played in long rounds; brackets are the hardest")
    count = 100 if is_long else 20
    session, name, value = msgspec.json.decode(
        world.shell(HOSTILE.format(user=people[0].id, texts=texts)), type=list[str]
    )
    async with (
        play(f"{count} views of a page that is hard to render", FEW) as round,
        _posts_beside(round, world, people[1]),
    ):
        answers = await _at_once(lambda: _view(world, session, {name: value}), count)

    assert set(answers) <= {200, 503}
    assert 200 in answers


@asynccontextmanager
async def _posts_beside(round: Round, world: System, person: Person) -> AsyncIterator[None]:
    """Posts from another person's script in the meantime. Each has to be taken; how long they took goes into the report."""
    [session] = await conversations.create(world, [person], count=1)
    await round.in_mid_stream(seconds=4, in_life=20)
    ended, posts = asyncio.Event(), []
    async with httpx.AsyncClient(
        verify=False, timeout=DEADLINE_S, headers={"Authorization": f"Bearer {person.token}"}
    ) as client:

        async def post() -> tuple[int, float]:
            began = time.monotonic()
            body = {"agent": "script", "parts": [{"type": "text", "text": '{"words": 1}'}]}
            headers = {"Idempotency-Key": str(uuid4())}
            answer = await client.post(
                f"http://{world.web_address}/api/sessions/{session}/messages", json=body, headers=headers
            )
            return answer.status_code, time.monotonic() - began

        async def go_on() -> None:
            while not ended.is_set():
                posts.append(asyncio.create_task(post()))
                await asyncio.sleep(EVERY_S)

        alone = [await post() for _ in range(10)]
        going = asyncio.create_task(go_on())
        try:
            yield
        finally:
            ended.set()
            await going
        answers = await asyncio.gather(*posts)
    took_s = sorted(seconds for _, seconds in answers)
    p50, p99, before = took_s[len(took_s) // 2], took_s[int(len(took_s) * 0.99)], max(seconds for _, seconds in alone)
    round.note = f"{len(answers)} posts beside it: p50 {p50:.2f} s, p99 {p99:.2f} s; at most {before:.2f} s before it"
    assert {status for status, _ in (*alone, *answers)} == {201}, round.note
    round.post_meanwhile()
    await round.healed()


async def _at_once(act: Callable[[], Coroutine[Any, Any, int]], count: int) -> list[int]:
    return await asyncio.gather(*(act() for _ in range(count)))


async def _guess(world: System) -> int:
    """Tries a wrong password, as a browser does. Returns the status of the answer."""
    async with _browser(world) as browser:
        form = await browser.get("/sign-in/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)
        if token is None:
            return form.status_code
        fields = {"csrfmiddlewaretoken": token[1], "username": f"somebody-{uuid4()}", "password": "wrong"}
        return (await browser.post("/sign-in/", data=fields)).status_code


async def _view(world: System, session: str, cookies: dict[str, str]) -> int:
    async with _browser(world, cookies) as browser:
        return (await browser.get(f"/s/{session}/")).status_code


def _browser(world: System, cookies: dict[str, str] | None = None) -> httpx.AsyncClient:
    # Without `verify`, each client would read all certificates of the machine: 30 ms of the loop that also measures.
    return httpx.AsyncClient(
        base_url=f"http://{world.web_address}",
        verify=False,
        timeout=DEADLINE_S,
        cookies=cookies,
        headers={"Accept": "text/html"},
    )
