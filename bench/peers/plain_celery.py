"""A plain Celery task that streams with Redis publish, and a web server that passes on what it says. Nothing is kept.

`celery -A bench.peers.plain_celery worker …` and `python -m bench.peers.plain_celery PORT`, with REDIS_URL in the environment;
`python -m bench.peers.plain_celery start STREAMS PLAN` starts a task for each stream. A socket at `/<stream>/` subscribes to the
stream's channel; a JSON object that it sends starts the task, which writes to the stream.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import redis
import redis.asyncio
import uvicorn
from celery import Celery

from chatapp.launcher.embedded.addresses import broker_url

URL = os.environ["REDIS_URL"]
app = Celery("plain", broker=broker_url(URL))
app.conf.update(
    task_ignore_result=True,
    task_default_queue="plain",
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
)
client = redis.Redis.from_url(URL)


@app.task(name="stream")
def stream(channel: str, words: int, every_us: int, pad: str) -> None:
    """Says `words` words, one every `every_us`; each is the time when it had to be said, as the agent `timed` has it."""
    due = now()
    for _ in range(words):
        time.sleep(max(0, due - now()) / 1e6)
        client.publish(channel, json.dumps({"text": f"{due} ", "pad": pad}))
        due += every_us


def now() -> int:
    return time.monotonic_ns() // 1000


async def web(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    channel = scope["path"].strip("/")
    await receive()
    async with redis.asyncio.Redis.from_url(URL) as connection, connection.pubsub() as pubsub:
        await pubsub.subscribe(channel)
        await pubsub.get_message(timeout=None)  # that it is subscribed
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": '{"type": "joined"}'})

        async def pass_on() -> None:
            async for message in pubsub.listen():
                await send({"type": "websocket.send", "text": message["data"].decode()})

        passing = asyncio.create_task(pass_on())
        while (message := await receive())["type"] == "websocket.receive":
            await asyncio.to_thread(stream.delay, channel, **json.loads(message["text"]))
        passing.cancel()


def serve(port: int) -> None:
    uvicorn.run(
        web,
        port=port,
        loop="uvloop",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        lifespan="off",
        log_level="warning",
    )


def start(streams: list[str], plan: dict[str, Any]) -> None:
    for channel in streams:
        stream.delay(channel, **plan)


if __name__ == "__main__":
    if sys.argv[1] == "start":
        start(*map(json.loads, sys.argv[2:]))
    else:
        serve(int(sys.argv[1]))
