"""Clients that look like browser tabs to the server: each follows Sessions and records every frame that it gets."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from typing import Self
from uuid import uuid4

import msgspec

from sessions_client import Batch, Client, EventStream
from tests.faults.promises import Ack
from tests.faults.system import Person


class Notes:
    """The Recorder of one tab."""

    def __init__(self) -> None:
        self.frames: list[str] = []
        self.codes: list[int] = []
        self.keeps = True

    def sent(self, text: str) -> None:
        pass

    def received(self, text: str) -> None:
        if self.keeps:
            self.frames.append(text)

    def closed(self, code: int, reason: str) -> None:  # noqa: ARG002
        self.codes.append(code)


class Reading(msgspec.Struct):
    """The batches of one Session that one tab applied."""

    name: str
    stream: EventStream
    batches: list[Batch] = []
    at: list[float] = []  # when each batch was applied

    @property
    def cursor(self) -> int:
        return self.batches[-1].end if self.batches else 0

    def reached(self, seq: int) -> float | None:
        """Returns when it first stood at `seq` or beyond, or None."""
        return next((at for at, batch in zip(self.at, self.batches, strict=True) if batch.end >= seq), None)


class Tab:
    """One connected client, as an async context manager."""

    def __init__(self, url: str, person: Person, *, device: str, name: str) -> None:
        self.name = name
        self.notes = Notes()
        self.client = Client(url, person.token, device=device, label=name, recorder=self.notes)
        self.readings: dict[str, Reading] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self.client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()
        await asyncio.gather(*self._tasks)

    def follow(self, session: str, *, after: int | None = None, epoch: int | None = None) -> Reading:
        stream = self.client.follow(session, after=after, epoch=epoch)
        reading = self.readings[session] = Reading(f"{self.name} of {session[:8]}", stream)
        self._tasks.append(asyncio.create_task(_read(reading)))
        return reading

    async def say(
        self, session: str, *, words: int, every_ms: int, wait_at: int | None = None, id: str | None = None
    ) -> Ack:
        """Asks the script for so many words. Returns when the server has acknowledged the post."""
        text = msgspec.json.encode({"words": words, "every_ms": every_ms, "wait_at": wait_at}).decode()
        return await self.post(session, text, agent="script", id=id)

    async def post(
        self, session: str, text: str, *, agent: str, policy: str | None = None, id: str | None = None
    ) -> Ack:
        """Posts the text for that agent. Returns when the server has acknowledged the post."""
        key = id or str(uuid4())
        ok = await self.client.post(session, text, id=key, agent=agent, policy=policy)
        return Ack(session=session, id=key, seq=ok.seq, message=ok.message, run=ok.run)

    async def stop(self, session: str) -> None:
        """Presses Stop. Returns when it is in the log."""
        await self.client.cancel(session)


async def _read(reading: Reading) -> None:
    async for batch in reading.stream:
        reading.batches.append(batch)
        reading.at.append(time.monotonic())


async def open_tabs(
    stack: AsyncExitStack, url: str, people: Sequence[Person], sessions: Sequence[str], *, each: int
) -> list[Tab]:
    """Opens so many tabs for each person, on one device each. The tabs of a person follow one Session, the first of them also a
    second one.
    """
    tabs: list[Tab] = []
    for n, person in enumerate(people):
        device = str(uuid4())
        for tab_n in range(each):
            tab = Tab(url, person, device=device, name=f"tab {n}.{tab_n}")
            tabs.append(await stack.enter_async_context(tab))
            tab.follow(sessions[n % len(sessions)])
            if tab_n == 0 and len(sessions) > 1:
                tab.follow(sessions[(n + 1) % len(sessions)])
    return tabs


def readings(tabs: Iterable[Tab]) -> list[tuple[str, Reading]]:
    """Returns each Session that a tab follows, for all tabs."""
    return [(session, reading) for tab in tabs for session, reading in tab.readings.items()]
