"""A provider with OpenAI's chat API, over real HTTP. It counts what it sends and notices when its connection is closed.

The last user message tells it what to do, as JSON (`Order`), perhaps with a name before it; anything else is answered with
twenty words. It is strict, as many chat templates are: roles that do not alternate, and tool calls without exactly one result
each, get a 400. `GET /seen` returns what it saw. As a script:
`python -m tests.support.fake_provider 9000`, then CHAT_MODEL=fake CHAT_MODEL_URL=http://127.0.0.1:9000/v1.
"""

import asyncio
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Literal, Self

import msgspec
from msgspec import Struct

from tests.support.chat_template import answers_since_asked, fault
from tests.support.waiting import POLL_S

SCRIPTS: Final = Path(__file__).parents[1] / "fixtures" / "providers"
REASONS: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Server Error",
}


UNKEPT_S: Final = 5.0  # from the end of an answer until it is surely kept, on a busy machine, too


class ToolCall(Struct, frozen=True):
    """A call that the answer makes: `arguments` as they are sent, cut in two. Its id is that of the calls at the same place in
    other answers, as some servers have it.
    """

    name: str
    arguments: str = "{}"


class Order(Struct, frozen=True):
    """`reason` words of reasoning, then `words` words. `wait_at`: after so many of both it waits for `Provider.allow`; at 0 it
    does not even send the head of its response. `cut`: how it ends too early, after `cut_after`. `rounds`: the tool calls of
    each answer before the one with the words; `say`: words of each of those.
    """

    rounds: list[list[ToolCall]] = []
    say: int = 0

    words: int = 20
    every_ms: int = 10
    reason: int = 0
    wait_at: int | None = None
    status: int = 200
    code: str = "some_code"
    retry_after: int = 0
    cut_after: int | None = None
    cut: Literal["rudely", "politely"] = "rudely"
    finish: str = "stop"  # the finish reason
    raw: str | None = None  # sent in the place of the first word: half characters, NUL
    script: str | None = None  # the whole response instead: a file of tests/fixtures/providers, without `.http`
    piece: int = 1 << 20  # bytes of the script that are sent at once
    clock: bool = (
        False  # each word is the time when it is sent, in µs of the monotonic clock; one is due every `every_ms`
    )


class Seen(Struct):
    """One request. `closed`: the other side closed the connection before the end. `allowed`: words that it may send."""

    key: str
    prompt: list[dict[str, object]]
    tools: list[str] = []
    chunks: int = 0
    over_at: int = 0  # when it was answered or closed, in µs of the monotonic clock
    finished: bool = False
    closed: bool = False
    closed_at: int = 0  # when that was noticed, in µs of the monotonic clock
    allowed: int = 0
    fault: str | None = None  # what was wrong with the prompt


class Request(Struct):
    messages: list[dict[str, object]] = []
    tools: list[dict[str, dict[str, object] | str]] = []

    def tool_names(self) -> list[str]:
        return [str(tool["function"]["name"]) for tool in self.tools if isinstance(tool["function"], dict)]


class Provider:
    """`async with Provider() as provider`: listens at `provider.url`."""

    def __init__(self, port: int = 0) -> None:
        self.seen: list[Seen] = []
        self._allowed = 0  # words that each new request may send
        self._port = port
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def calls_per_step(self) -> int:
        """How often it was asked the same thing, at most."""
        return _most_often(self.seen)

    def answers_per_step(self, *, lost: Sequence[float] = ()) -> int:
        """Returns how often it has answered the same thing, at most. `lost`: when workers were killed, by the monotonic clock.
        Answers that a kill has cut off do not count, nor those of the last moments before it, which nobody could keep any more.
        """
        unkept = [seen for seen in self.seen if any(at - UNKEPT_S < seen.over_at / 1e6 < at for at in lost)]
        whole = [seen for seen in self.seen if seen.chunks and not seen.closed]
        return _most_often([seen for seen in whole if seen not in unkept])

    def allow(self, words: int) -> None:
        """Lets the newest request go on, up to so many words. From any thread."""
        self.seen[-1].allowed = words

    def allow_all(self, words: int) -> None:
        """Lets all requests go on up to so many words, also those that come from now on."""
        self._allowed = words
        for seen in self.seen:
            seen.allowed = words

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if first.startswith("GET"):
            _reply(writer, 200, msgspec.json.encode(self.seen))
            return
        request = msgspec.json.decode(body, type=Request)
        prompt = request.messages
        seen = Seen(
            key=headers.get("authorization", ""), prompt=prompt, tools=request.tool_names(), allowed=self._allowed
        )
        self.seen.append(seen)
        talk = asyncio.create_task(_talk(writer, _order(prompt), seen))
        hung_up = asyncio.create_task(reader.read(1))
        await asyncio.wait({talk, hung_up}, return_when=asyncio.FIRST_COMPLETED)
        if not talk.done() or talk.exception():  # a reset connection may be told to both
            seen.closed, seen.closed_at = True, _now()
        seen.over_at = _now()
        talk.cancel()
        hung_up.cancel()
        await asyncio.gather(talk, hung_up, return_exceptions=True)


def _most_often(seen: Iterable[Seen]) -> int:
    return max(Counter(msgspec.json.encode([each.key, each.prompt]) for each in seen).values(), default=0)


async def _talk(writer: asyncio.StreamWriter, order: Order, seen: Seen) -> None:
    if (wrong := fault(seen.prompt)) is not None:
        seen.fault = wrong
        _reply(writer, 400, msgspec.json.encode({"error": {"message": wrong}}))
        return
    if order.script is not None:
        await _play(writer, order.script, order.piece)
        return
    await _wait(order, seen, 0)
    if order.status != 200:
        error = {"error": {"message": "sk-secret is wrong", "type": "some_type", "code": order.code}}
        _reply(writer, order.status, msgspec.json.encode(error), retry_after=order.retry_after)
        return
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    deltas, finish = _deltas(order, len(answers_since_asked(seen.prompt)))
    began = _now()
    for n, delta in enumerate(deltas):
        if n == order.cut_after:
            break
        _event(writer, _chunk({"content": f"{_now()} "} if order.clock else delta), raw=order.raw if n == 0 else None)
        await writer.drain()
        seen.chunks += 1
        late_ms = (_now() - began) / 1000 - n * order.every_ms if order.clock else 0
        await asyncio.sleep(max(0, order.every_ms - late_ms) / 1000)
        await _wait(order, seen, n + 1)
    else:
        _end(writer, sum(len(str(message)) for message in seen.prompt), len(deltas), finish)
        seen.finished = True
    if order.cut == "politely" and not seen.finished:
        writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _play(writer: asyncio.StreamWriter, script: str, piece: int) -> None:
    """Sends the script: its head, then its body in pieces, each an HTTP chunk of its own."""
    head, _, body = (SCRIPTS / f"{script}.http").read_bytes().partition(b"\n\n")
    writer.write(head.replace(b"\n", b"\r\n") + b"\r\ntransfer-encoding: chunked\r\n\r\n")
    for start in range(0, len(body), piece):
        _piece(writer, body[start : start + piece])
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _wait(order: Order, seen: Seen, sent: int) -> None:
    """Waits until another word is allowed; after the last, until all of them are."""
    if order.wait_at is None or sent < order.wait_at:
        return
    while seen.allowed < min(sent + 1, order.reason + order.words):  # noqa: ASYNC110  # another thread allows it
        await asyncio.sleep(POLL_S)


def _deltas(order: Order, number: int) -> tuple[list[dict[str, object]], str]:
    """Returns the deltas of the answer with this number since the user's message, and its finish reason."""
    deltas: list[dict[str, object]] = [{"reasoning_content": _word("r", n)} for n in range(1, order.reason + 1)]
    if number >= len(order.rounds):
        deltas += [{"content": _word("w", n)} for n in range(1, order.words + 1)]
        return deltas, order.finish
    deltas += [{"content": _word("s", n)} for n in range(1, order.say + 1)]
    for n, call in enumerate(order.rounds[number]):
        deltas += [{"tool_calls": [piece]} for piece in _pieces(n, call)]
    return deltas, "tool_calls"


def _pieces(index: int, call: ToolCall) -> list[dict[str, object]]:
    half = len(call.arguments) // 2
    return [
        {"index": index, "id": f"call_{index}", "type": "function", "function": {"name": call.name, "arguments": ""}},
        {"index": index, "function": {"arguments": call.arguments[:half]}},
        {"index": index, "function": {"arguments": call.arguments[half:]}},
    ]


def _end(writer: asyncio.StreamWriter, given: int, said: int, finish: str) -> None:
    _event(writer, _chunk({}, finish=finish))
    _event(
        writer,
        {**_chunk({}), "choices": [], "usage": {"prompt_tokens": given, "completion_tokens": said, "total_tokens": 0}},
    )
    writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")


def _chunk(delta: dict[str, object], *, finish: str | None = None) -> dict[str, object]:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "fake", "choices": choices}


def _event(writer: asyncio.StreamWriter, value: dict[str, object], *, raw: str | None = None) -> None:
    data = msgspec.json.encode(value)
    if raw is not None:
        data = data.replace(b'"w1"', f'"{raw}"'.encode())
    _piece(writer, b"data: " + data + b"\n\n")


def _piece(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def _reply(writer: asyncio.StreamWriter, status: int, body: bytes, *, retry_after: int = 0) -> None:
    more = f"retry-after: {retry_after}\r\n" if retry_after else ""
    head = f"HTTP/1.1 {status} {REASONS.get(status, 'OK')}\r\ncontent-type: application/json\r\n{more}"
    writer.write(f"{head}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)


def _order(prompt: list[dict[str, object]]) -> Order:
    asked = [message["content"] for message in prompt if message["role"] == "user"]
    try:
        return msgspec.json.decode(re.sub(r"^\w+: ", "", str(asked[-1])), type=Order)
    except (msgspec.DecodeError, IndexError):
        return Order()


def _now() -> int:
    return time.monotonic_ns() // 1000


def _word(letter: str, n: int) -> str:
    return f"{letter}{n}" if n == 1 else f" {letter}{n}"


async def _stay(port: int) -> None:
    async with Provider(port) as provider:
        print(provider.url, flush=True)  # noqa: T201  # the script's answer
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_stay(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
