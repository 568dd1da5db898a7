"""Commands on their way: kept under their id until the server answers, and sent again over every new link (P5)."""

import asyncio
from collections.abc import Callable
from typing import Final

from sessions_client.errors import ClientError, Refused
from sessions_client.frames import FRAME_LIMIT, Error, Ok

UNANSWERED_S: Final = 10.0  # then it is sent again: its id makes that harmless
AGAIN_S: Final = 1.0  # after a refusal that will pass, where the server does not say when
# Refusals that will pass by themselves. Others with `retry`, such as run_active, are the caller's to decide.
PASSING: Final = frozenset({"busy", "rate_limited", "internal"})


class _Pending:
    def __init__(self, text: str) -> None:
        self.text = text
        self.due = 0.0  # when to send it next
        self.answer: asyncio.Future[Ok] = asyncio.get_running_loop().create_future()


class Commands:
    """`send` says whether there was a link to send on; without one, `resend` on the next link does it."""

    def __init__(self, send: Callable[[str], bool]) -> None:
        self._send = send
        self._pending: dict[str, _Pending] = {}

    async def ask(self, id: str, text: str, now: float) -> Ok:
        """The answer, however many links it takes. Given up by the caller, the command may still have its effect."""
        if len(text.encode()) > FRAME_LIMIT:
            raise Refused("too_large", f"A frame has at most {FRAME_LIMIT} bytes.")
        pending = self._pending.setdefault(id, _Pending(text))
        self._post(pending, now)
        try:
            return await asyncio.shield(pending.answer)
        finally:
            self._pending.pop(id, None)

    def resend(self, now: float) -> None:
        """There is a new link: everything unanswered goes again, in its order."""
        for pending in self._pending.values():
            self._post(pending, now)

    def tick(self, now: float) -> None:
        for pending in self._pending.values():
            if now >= pending.due:
                self._post(pending, now)

    def ok(self, frame: Ok) -> None:
        pending = self._pending.get(frame.id)
        if pending is not None and not pending.answer.done():
            pending.answer.set_result(frame)

    def error(self, frame: Error, now: float) -> None:
        pending = self._pending.get(frame.id or "")
        if pending is None or pending.answer.done():
            return
        if frame.code in PASSING:
            pending.due = now + (AGAIN_S if frame.retry_after_ms is None else frame.retry_after_ms / 1000)
        else:
            pending.answer.set_exception(Refused(frame.code, frame.message, retry=frame.retry))

    def abandon(self, error: ClientError) -> None:
        """Nothing will be answered any more."""
        for pending in self._pending.values():
            if not pending.answer.done():
                pending.answer.set_exception(error)

    def _post(self, pending: _Pending, now: float) -> None:
        if not pending.answer.done() and self._send(pending.text):
            pending.due = now + UNANSWERED_S
