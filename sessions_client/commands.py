"""Commands without an answer yet. Each keeps its id and is sent again on every new WebSocket, so it has one effect (P5)."""

import asyncio
from collections.abc import Callable
from typing import Final

from sessions_client.errors import ClientError, Refused
from sessions_client.frames import FRAME_BYTES, Error, Ok

ANSWER_TIMEOUT_S: Final = 10.0  # then the command is sent again; its id makes that harmless
RETRY_AFTER_S: Final = 1.0  # after a temporary refusal without `retry_after_ms`
# These refusals pass by themselves. The caller decides about others with `retry`, such as run_active.
TEMPORARY: Final = frozenset({"busy", "rate_limited"})


class _Pending:
    def __init__(self, frame: str) -> None:
        self.frame = frame
        self.send_at = 0.0  # when to send it again, by the clock of the caller
        self.answer: asyncio.Future[Ok] = asyncio.get_running_loop().create_future()


class Commands:
    """`send` returns False while there is no connection; `resend` makes up for it on the next one.

    `frame_bytes` is the longest frame that the server takes. `now` is a monotonic time in seconds.
    """

    def __init__(self, send: Callable[[str], bool]) -> None:
        self.frame_bytes = FRAME_BYTES
        self._send = send
        self._pending: dict[str, _Pending] = {}

    async def execute(self, id: str, frame: str, now: float) -> Ok:
        """Sends the frame until it is answered, and returns the answer. Raises Refused, Closed.

        A cancelled call stops the sending. The command may still have its effect.
        """
        pending = self._pending.setdefault(id, _Pending(frame))
        self._post(pending, now)
        try:
            return await asyncio.shield(pending.answer)
        finally:
            self._pending.pop(id, None)

    def resend(self, now: float) -> None:
        """Sends every unanswered command again, in the order of the calls."""
        for pending in self._pending.values():
            self._post(pending, now)

    def tick(self, now: float) -> None:
        """Sends the commands again whose answer or retry is due."""
        for pending in self._pending.values():
            if now >= pending.send_at:
                self._post(pending, now)

    def ok(self, frame: Ok) -> None:
        """Answers the command with the frame's id."""
        pending = self._pending.get(frame.id)
        if pending is not None and not pending.answer.done():
            pending.answer.set_result(frame)

    def refused(self, frame: Error, now: float) -> None:
        """Refuses the command with the frame's id, or schedules its retry when the refusal is temporary."""
        pending = self._pending.get(frame.id or "")
        if pending is None or pending.answer.done():
            return
        if frame.code in TEMPORARY:
            pending.send_at = now + (RETRY_AFTER_S if frame.retry_after_ms is None else frame.retry_after_ms / 1000)
        else:
            pending.answer.set_exception(Refused(frame.code, frame.message, retry=frame.retry))

    def abandon(self, error: ClientError) -> None:
        """Raises `error` in every call that still waits."""
        for pending in self._pending.values():
            if not pending.answer.done():
                pending.answer.set_exception(error)

    def _post(self, pending: _Pending, now: float) -> None:
        if pending.answer.done():
            return
        if (size := len(pending.frame.encode())) > self.frame_bytes:
            sentence = f"The frame has {size:,} bytes in UTF-8; the server takes at most {self.frame_bytes:,}."
            pending.answer.set_exception(Refused("too_large", sentence))
        elif self._send(pending.frame):
            pending.send_at = now + ANSWER_TIMEOUT_S
