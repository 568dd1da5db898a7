"""Receives the frames of one client: checks each at once, and executes them one after the other."""

import asyncio
from collections import deque
from math import ceil

from sessions_core.consumers import commands
from sessions_core.live.connection import Connection
from sessions_core.live.delivery import Delivery
from sessions_core.live.limits import WAITING_BYTES, WAITING_FRAMES, FrameRate
from sessions_core.machines.send_buffer import size_of
from sessions_core.protocol.errors import BadFrame, HelloFirst, Invalid, RateLimited, Refusal
from sessions_core.protocol.frames import (
    CLOSE_MISBEHAVING,
    CLOSE_TOO_LARGE,
    FRAME_BYTES,
    ClientFrame,
    Hello,
    Ping,
    Typing,
    addressee,
    error_of,
    parse,
)


class Receiver:
    """Takes each frame without waiting, so that the next one can be received while a command runs."""

    def __init__(self, connection: Connection, delivery: Delivery) -> None:
        self._connection = connection
        self._delivery = delivery
        self._rate = FrameRate()
        self._waiting: deque[tuple[ClientFrame, int]] = deque()  # with its size in bytes
        self._waiting_bytes = 0
        self._executing = False
        self._time = asyncio.get_running_loop().time

    def receive(self, data: str | bytes) -> float:
        """Executes one frame, queues it, or answers it with an `error`. Returns the seconds to pause when the client sends too
        fast, else 0.0.
        """
        connection, now = self._connection, self._time()
        size = len(data) if isinstance(data, bytes) else size_of(data)
        if size > FRAME_BYTES:
            connection.close(
                CLOSE_TOO_LARGE, f"That frame has {size:,} bytes in UTF-8; at most {FRAME_BYTES:,} are possible."
            )
            return 0.0
        wait_s = self._rate.wait_s(now, size)
        try:
            if wait_s:
                raise RateLimited(retry_after_ms=ceil(wait_s * 1000))
            self._take(self._parse(data), size)
        except Refusal as refusal:
            id, session = addressee(data if isinstance(data, str) else "")
            connection.reply(error_of(refusal, id=id, session=session))
            if isinstance(refusal, Invalid) and self._rate.count_bad(now):
                connection.close(CLOSE_MISBEHAVING, "Too many frames that cannot be read.")
        return wait_s

    def _parse(self, data: str | bytes) -> ClientFrame:
        if isinstance(data, bytes):
            raise BadFrame("A frame is a text message.")
        frame = parse(data)
        if (
            self._connection.device is None
            and not self._waiting
            and not self._executing
            and not isinstance(frame, Hello)
        ):
            raise HelloFirst
        return frame

    def _take(self, frame: ClientFrame, size: int) -> None:
        """Executes what needs no waiting at once, so that a ping is answered while a post waits for the database."""
        if isinstance(frame, Ping | Typing) and self._connection.device is not None:
            commands.execute_at_once(frame, self._connection, self._delivery)
        elif len(self._waiting) >= WAITING_FRAMES or self._waiting_bytes + size > WAITING_BYTES:
            raise RateLimited(retry_after_ms=1000)
        else:
            self._waiting.append((frame, size))
            self._waiting_bytes += size
            if not self._executing:
                self._executing = True
                self._delivery.spawn(self._execute_waiting())

    async def _execute_waiting(self) -> None:
        """Ends when nothing waits, so that an idle Connection has no task for it.

        A frame that was received is executed even if the client has disconnected meanwhile.
        """
        try:
            while self._waiting:
                frame, size = self._waiting.popleft()
                await commands.execute(frame, self._connection, self._delivery)
                self._waiting_bytes -= size
        finally:
            self._executing = False
