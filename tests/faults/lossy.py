"""A channel layer over the real one that drops, doubles and delays hints as the file `weather.json` in VAR_DIR says."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from django.conf import settings

from sessions_core.hints.layer import PubSubLayer

LATE_S: Final = 0.4  # the longest delay: many later hints overtake a delayed one
FILE: Final = "weather.json"


class Weather(msgspec.Struct, frozen=True):
    """Shares of the hints, from 0 to 1. Those that are neither dropped nor late may be doubled."""

    dropped: float = 0.0
    late: float = 0.0
    doubled: float = 0.0


class LossyLayer:
    """Loses hints only. Heartbeats, probes and cancels pass: other tests break those."""

    def __init__(self, **config: Any) -> None:  # noqa: ANN401
        self._layer: Any = PubSubLayer(**config)
        self._file = Path(settings.VAR_DIR, FILE)
        self._written = 0
        self._weather = Weather()
        self._late: set[asyncio.Task[None]] = set()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._layer, name)

    async def group_send(self, group: str, message: Mapping[str, Any]) -> None:
        weather = self._read() if message["type"] == "hint" else Weather()
        if random.random() < weather.dropped:
            return
        if random.random() < weather.late:
            task = asyncio.create_task(self._send_late(group, message))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
            return
        await self._layer.group_send(group, message)
        if random.random() < weather.doubled:
            await self._layer.group_send(group, message)

    async def group_send_all(self, messages: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        for group, message in messages:
            await self.group_send(group, message)

    async def _send_late(self, group: str, message: Mapping[str, Any]) -> None:
        await asyncio.sleep(random.uniform(0, LATE_S))
        await self._layer.group_send(group, message)

    def _read(self) -> Weather:
        try:
            written = self._file.stat().st_mtime_ns
            if written != self._written:
                self._weather = msgspec.json.decode(self._file.read_bytes(), type=Weather)
                self._written = written
        except FileNotFoundError:
            self._weather = Weather()
        return self._weather
