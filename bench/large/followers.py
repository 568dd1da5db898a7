"""`python -m bench.large.followers URL TOKEN FILE SOCKETS`: follows all Sessions of FILE by so many sockets. Prints "ready", and
for each line on stdin what came since the line before, as JSON.
"""

import asyncio
import json
import sys
import time
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect

UNANSWERED, AT_ONCE, PER_S = 30, 100, 25  # frames of one client, below its limits


class Followers:
    """All sockets of the process, and what they got."""

    def __init__(self, url: str, token: str) -> None:
        self._connect = partial(
            connect,
            url,
            additional_headers={"Authorization": f"Bearer {token}"},
            compression=None,
            max_size=None,
            max_queue=None,
            proxy=None,
        )
        self._waiting: dict[str, asyncio.Semaphore] = {}  # sessions that are not subscribed to yet
        self.all_subscribed = asyncio.Event()
        self.late_ms: list[float] = []
        self._began = time.time()

    async def follow(self, sessions: list[str]) -> None:
        """Opens one socket, follows the Sessions and reads for ever."""
        unanswered = asyncio.Semaphore(UNANSWERED)
        self._waiting |= dict.fromkeys(sessions, unanswered)
        async with self._connect() as socket, asyncio.TaskGroup() as tasks:
            await socket.send(json.dumps({"type": "hello", "device": str(uuid4())}))
            tasks.create_task(self._subscribe(socket, sessions, unanswered))
            async for text in socket:
                self._take(json.loads(text))

    async def _subscribe(self, socket: ClientConnection, sessions: list[str], unanswered: asyncio.Semaphore) -> None:
        for number, session in enumerate(sessions):
            await unanswered.acquire()
            if number >= AT_ONCE:
                await asyncio.sleep(1 / PER_S)
            await socket.send(json.dumps({"type": "subscribe", "session": session, "last": 1}))

    def _take(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "subscribed":
                self._waiting.pop(frame["session"]).release()
                if not self._waiting:
                    self.all_subscribed.set()
            case "events":
                now = time.time()
                renamed = [event["at"] for event in frame["events"] if event["kind"] == "session.renamed"]
                times = [datetime.fromisoformat(at).timestamp() for at in renamed]
                # The first Events of a subscription are those of an earlier round.
                self.late_ms += [(now - at) * 1000 for at in times if at >= self._began]
            case "error" | "goodbye":
                raise RuntimeError(frame)
            case _:
                pass


async def main(url: str, token: str, sessions: list[str], sockets: int) -> None:
    followers = Followers(url, token)
    async with asyncio.TaskGroup() as tasks:
        for n in range(sockets):
            tasks.create_task(followers.follow(sessions[n::sockets]))
        await followers.all_subscribed.wait()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while await asyncio.to_thread(sys.stdin.readline):
            late_ms, followers.late_ms = followers.late_ms, []
            sys.stdout.write(json.dumps({"late_ms": late_ms}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]).read_text().split(), int(sys.argv[4])))
