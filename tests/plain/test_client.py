"""The Python client against a fake server, whose every frame the test sends."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID, uuid4

import pytest

from sessions_client import BEGINNING, Client, Closed, Ok, Refused, Removed
from sessions_client.event_stream import QUEUE_LIMIT
from sessions_client.reconnect import MAX_DELAY_S, delay, is_final
from tests.plain.fake_server import SESSION, WELCOME, FakeServer, events, fake_server, subscribed

BUSY = {"type": "error", "code": "busy", "message": "The server is busy.", "retry": True, "retry_after_ms": 1}


def text_part(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


class Recording:
    """A Recorder that keeps everything."""

    def __init__(self) -> None:
        self.frames: list[str] = []
        self.codes: list[int] = []
        self.goodbye = asyncio.Event()

    def sent(self, text: str) -> None:
        self.frames.append(f"> {text}")

    def received(self, text: str) -> None:
        self.frames.append(f"< {text}")
        if '"goodbye"' in text:
            self.goodbye.set()

    def closed(self, code: int, reason: str) -> None:  # noqa: ARG002
        self.codes.append(code)


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with fake_server() as made:
        yield made


@pytest.fixture
def recording() -> Recording:
    return Recording()


@pytest.fixture
async def client(server: FakeServer, recording: Recording) -> AsyncIterator[Client]:
    async with asyncio.timeout(20), Client(server.url, "ds_secret", recorder=recording) as made:
        yield made


async def test_it_says_who_it_is(server: FakeServer, client: Client) -> None:
    socket = await server.accepts()
    assert socket.connection.request is not None
    assert socket.connection.request.headers["Authorization"] == "Bearer ds_secret"

    hello = await socket.welcomes()

    assert hello == {"type": "hello", "device": client.device}
    assert (await client.ready()).user == "7"


async def test_a_server_that_is_busy_at_the_hello_is_tried_again(server: FakeServer, client: Client) -> None:
    socket = await server.accepts()
    await socket.receives("hello")
    await socket.sends(BUSY)

    await server.welcomes()
    await client.ready()


async def test_a_hello_that_is_wrong_is_not_tried_again(server: FakeServer, client: Client) -> None:
    socket = await server.accepts()
    await socket.receives("hello")
    await socket.sends({"type": "error", "code": "bad_field", "message": "That is no uuid.", "retry": False})

    with pytest.raises(Closed, match="no uuid"):
        await client.ready()


async def test_it_resumes_at_its_cursor_over_a_new_connection(server: FakeServer, client: Client) -> None:
    stream = client.follow(SESSION, last=3)
    socket = await server.welcomes()
    assert (await socket.receives("subscribe"))["last"] == 3
    await socket.sends(subscribed(9), events(4, 9, older=True))
    assert (await anext(stream)).older
    await socket.aborts()

    socket = await server.welcomes()
    again = await socket.receives("subscribe")
    assert (again["after"], again["epoch"]) == (9, 1)
    await socket.sends(subscribed(11), events(9, 11))
    batch = await anext(stream)
    assert [event.seq for event in batch.events] == [10, 11]
    assert (stream.cursor, stream.epoch) == (11, 1)


async def test_a_gap_makes_it_subscribe_again(server: FakeServer, client: Client) -> None:
    stream = client.follow(SESSION, after=4, epoch=1)
    socket = await server.welcomes()
    await socket.receives("subscribe")
    await socket.sends(subscribed(4), events(6, 7))

    assert (await socket.receives("subscribe"))["after"] == 4
    await socket.sends(events(7, 8), subscribed(8), events(4, 8))
    assert [event.seq for event in (await anext(stream)).events] == [5, 6, 7, 8]


async def test_a_restart_tells_to_forget(server: FakeServer, client: Client) -> None:
    stream = client.follow(SESSION, after=900, epoch=1)
    socket = await server.welcomes()
    await socket.receives("subscribe")
    await socket.sends(subscribed(2, epoch=2, restart=True), events(0, 2, epoch=2))

    batch = await anext(stream)
    assert batch.restarted
    assert (stream.cursor, stream.epoch) == (2, 2)


async def test_a_command_keeps_its_id_over_a_lost_answer(server: FakeServer, client: Client) -> None:
    posting = asyncio.create_task(client.post(SESSION, "Hello", agent="script"))
    socket = await server.welcomes()
    first = await socket.receives("post")
    await socket.aborts()

    socket = await server.welcomes()
    assert await socket.receives("post") == first
    await socket.sends({"type": "ok", "id": first["id"], "seq": 3, "message": "m", "run": "r"})
    ok = await posting
    assert (ok.seq, ok.message, ok.run) == (3, "m", "r")
    assert first["parts"] == [{"type": "text", "text": "Hello"}]


@pytest.mark.parametrize(
    ("give", "type", "fields"),
    [
        (lambda c: c.edit_queued(SESSION, "m", "Hi"), "edit_queued", {"message": "m", "parts": [text_part("Hi")]}),
        (lambda c: c.unqueue(SESSION, "m"), "unqueue", {"message": "m"}),
        (lambda c: c.resume_queue(SESSION), "resume_queue", {}),
        (lambda c: c.answer(SESSION, "a", {"x": [1]}), "answer", {"ask": "a", "value": {"x": [1]}}),
        (lambda c: c.answer(SESSION, "a", None), "answer", {"ask": "a", "value": None}),
        (lambda c: c.decline(SESSION, "a"), "answer", {"ask": "a", "declined": True}),
        (lambda c: c.cancel(SESSION, "r"), "cancel", {"run": "r"}),
        (lambda c: c.regenerate(SESSION, "m"), "regenerate", {"message": "m"}),
        (
            lambda c: c.post(SESSION, "Hi", parent=BEGINNING),
            "post",
            {"parts": [text_part("Hi")], "parent": str(UUID(int=0))},
        ),
    ],
)
async def test_a_command_is_a_frame_and_its_answer(
    server: FakeServer, client: Client, give: Callable[[Client], Awaitable[Ok]], type: str, fields: dict[str, object]
) -> None:
    giving = asyncio.ensure_future(give(client))
    socket = await server.welcomes()
    frame = await socket.receives(type)
    await socket.sends({"type": "ok", "id": frame["id"], "seq": 3})

    assert frame == {"type": type, "id": frame["id"], "session": SESSION, **fields}
    assert (await giving).seq == 3


async def test_a_refusal_is_raised(server: FakeServer, client: Client) -> None:
    stopping = asyncio.create_task(client.cancel(SESSION))
    socket = await server.welcomes()
    asked = await socket.receives("cancel")
    await socket.sends(
        {"type": "error", "id": asked["id"], "code": "run_ended", "message": "Too late.", "retry": False}
    )

    with pytest.raises(Refused, match="Too late") as refused:
        await stopping
    assert refused.value.code == "run_ended"


async def test_a_refusal_that_passes_is_waited_out(server: FakeServer, client: Client) -> None:
    key = str(uuid4())
    posting = asyncio.create_task(client.post(SESSION, "Hello", id=key))
    socket = await server.welcomes()
    await socket.receives("post")
    await socket.sends({**BUSY, "id": key})

    assert (await socket.receives("post"))["id"] == key
    await socket.sends({"type": "ok", "id": key, "seq": 3})
    assert (await posting).seq == 3


async def test_a_frame_that_is_too_large_is_not_sent(server: FakeServer, client: Client) -> None:
    with pytest.raises(Refused) as refused:
        await client.post(SESSION, "x" * 600_000)

    assert (refused.value.code, refused.value.retry) == ("too_large", False)


async def test_a_frame_that_is_larger_than_this_server_takes_is_refused_at_its_welcome(
    server: FakeServer, client: Client
) -> None:
    posting = asyncio.create_task(client.post(SESSION, "é" * 500))
    socket = await server.accepts()
    await socket.receives("hello")
    await socket.sends({**WELCOME, "limits": {"frame_bytes": 1000}})

    with pytest.raises(Refused, match="bytes") as refused:
        await posting
    assert (refused.value.code, refused.value.retry) == ("too_large", False)


async def test_a_refused_subscription_ends_the_stream(server: FakeServer, client: Client) -> None:
    stream = client.follow(SESSION)
    socket = await server.welcomes()
    await socket.receives("subscribe")
    await socket.sends({"type": "error", "session": SESSION, "code": "not_found", "message": "No.", "retry": False})

    with pytest.raises(Refused) as refused:
        await anext(stream)
    assert refused.value.code == "not_found"


async def test_a_busy_subscription_is_asked_for_again(server: FakeServer, client: Client) -> None:
    client.follow(SESSION)
    socket = await server.welcomes()
    await socket.receives("subscribe")
    await socket.sends({**BUSY, "session": SESSION})

    await socket.receives("subscribe")


async def test_being_removed_ends_the_stream_after_what_came_before(server: FakeServer, client: Client) -> None:
    stream = client.follow(SESSION, after=0, epoch=1)
    socket = await server.welcomes()
    await socket.receives("subscribe")
    await socket.sends(subscribed(1), events(0, 1), {"type": "removed", "session": SESSION, "reason": "left"})

    assert (await anext(stream)).end == 1
    with pytest.raises(Removed, match="left"):
        await anext(stream)


async def test_a_final_close_code_is_not_retried(server: FakeServer, client: Client) -> None:
    stream = client.follow(SESSION)
    posting = asyncio.create_task(client.post(SESSION, "Hello"))
    socket = await server.accepts()
    await socket.connection.close(4401, "not signed in")

    for waiting in (anext(stream), posting, client.ready()):
        with pytest.raises(Closed) as closed:
            await waiting
        assert closed.value.code == 4401
    assert server.has_no_more


async def test_it_comes_back_when_the_goodbye_says(server: FakeServer, client: Client, recording: Recording) -> None:
    socket = await server.welcomes()
    await socket.sends({"type": "goodbye", "code": 1012, "reason": "restart", "retry_after_ms": 400})
    began = time.monotonic()
    await socket.connection.close(1012)

    await server.welcomes()
    assert time.monotonic() - began >= 0.4
    assert recording.codes == [1012]


async def test_what_it_does_not_know_is_ignored(server: FakeServer, client: Client) -> None:
    stream = client.follow(SESSION, after=0, epoch=1)
    socket = await server.accepts()
    await socket.receives("hello")
    await socket.sends({**WELCOME, "weather": "fine"}, {"type": "of_the_future", "n": 1})
    await socket.receives("subscribe")
    await socket.sends(subscribed(1), {"type": "events", "session": 5}, events(0, 1))

    assert (await anext(stream)).events[0].kind == "of.the.future"


async def test_a_reader_that_does_not_take_is_repaired_when_it_does(
    server: FakeServer, client: Client, recording: Recording
) -> None:
    stream = client.follow(SESSION, after=0, epoch=1)
    socket = await server.welcomes()
    await socket.receives("subscribe")
    await socket.sends(subscribed(0), *(events(seq, seq + 1) for seq in range(QUEUE_LIMIT + 5)))
    await socket.sends({"type": "goodbye", "code": 1000, "reason": "a sign that all of them were received"})
    await recording.goodbye.wait()

    taken = [(await anext(stream)).end for _ in range(QUEUE_LIMIT)]
    assert taken == list(range(1, QUEUE_LIMIT + 1))
    again = asyncio.create_task(anext(stream))
    assert (await socket.receives("subscribe"))["after"] == QUEUE_LIMIT
    await socket.sends(subscribed(QUEUE_LIMIT + 5), events(QUEUE_LIMIT, QUEUE_LIMIT + 5))
    assert (await again).end == QUEUE_LIMIT + 5


async def test_every_frame_is_recorded(server: FakeServer, client: Client, recording: Recording) -> None:
    await server.welcomes()
    await client.ready()

    assert [frame[:15] for frame in recording.frames] == ['> {"type":"hell', '< {"type": "wel']


async def test_leaving_ends_what_is_unanswered(server: FakeServer, client: Client) -> None:
    stream = client.follow(SESSION)
    posting = asyncio.create_task(client.post(SESSION, "Hello"))
    socket = await server.welcomes()
    await socket.receives("subscribe")
    await socket.receives("post")

    await client.close()
    with pytest.raises(Closed):
        await posting
    assert [batch async for batch in stream] == []


@pytest.mark.parametrize(
    ("code", "final"),
    [
        (1000, False),
        (1006, False),
        (1012, False),
        (1013, False),
        (4408, False),
        (4400, True),
        (4401, True),
        (4409, True),
    ],
)
def test_the_close_code_says_whether_to_come_back(code: int, final: bool) -> None:  # noqa: FBT001
    assert is_final(code) is final


def test_the_wait_grows_with_jitter_and_has_a_limit() -> None:
    assert delay(0, retry_after_ms=None, random=lambda: 0.5) == 0.25
    assert delay(2, retry_after_ms=None, random=lambda: 0.5) == 1.0
    assert delay(99, retry_after_ms=None, random=lambda: 1.0) == MAX_DELAY_S
    assert delay(3, retry_after_ms=250, random=lambda: 1.0) == 0.25
