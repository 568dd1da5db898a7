"""Bounds the HTTP requests that are at work at once, so that a burst of them takes neither every thread nor every database
connection of the process. What is over waits for its turn, and is refused with 503 when that takes too long.
"""

import asyncio
from collections import Counter, deque
from io import BytesIO
from typing import Any, Final

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest

from chatapp.pages.body_limit import Application, AsgiEvent, Receive, Send, send_response
from chatapp.pages.unavailable import to_page
from sessions_core.protocol.errors import Busy

WAIT_S: Final = 5.0  # for a turn; below the time-outs of balancers and browsers
PASSWORD_WAIT_S: Final = 20.0  # a class that signs in together takes so long
WAITING: Final = 1_000  # requests that may wait for a turn; half of them may be of one address
STATIC_AT_WORK: Final = 32  # files need no connection, and hardly a thread
HEALTH_AT_WORK: Final = 8  # what these need is bounded where they are
RETRY_AFTER_MS: Final = 3_000
# POSTs to these hash a password: a quarter of a second on a core of its own. None of them may hold up anything else.
PASSWORDS: Final = frozenset({"/sign-in/", "/sign-up/", "/admin/login/"})


class Turns:
    """Gives turns, `at_work` at once. Waiting addresses take turns with each other, and one address never has all of them: so a
    crowd from one place leaves room for the others.
    """

    def __init__(self, at_work: int, *, wait_s: float = WAIT_S, waiting: int = WAITING) -> None:
        self._at_work = at_work
        self._of_address = max(1, at_work - 1)
        self._wait_s = wait_s
        self._room = waiting
        self._working: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def take(self, address: str) -> bool:
        """Waits for a turn. Returns False when there was none in time, or when too many wait already. End a turn with `end`."""
        if self._is_free(address):
            self._working[address] += 1
            return True
        waiting = sum(map(len, self._waiting.values()))
        if waiting >= self._room or len(self._waiting.get(address, ())) >= self._room // 2:
            return False
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(address, deque()).append(turn)
        try:
            async with asyncio.timeout(self._wait_s):
                await turn
        except TimeoutError:
            self._give_up(turn, address)
            return False
        except asyncio.CancelledError:
            self._give_up(turn, address)
            raise
        return True

    def end(self, address: str) -> None:
        """Ends a turn, and gives it to the next address that waits."""
        self._working[address] -= 1
        if not self._working[address]:
            del self._working[address]
        while (following := next(filter(self._is_free, self._waiting), None)) is not None:
            queue = self._waiting.pop(following)
            turn = queue.popleft()
            if queue:
                self._waiting[following] = queue  # to the end: the others come first next time
            if not turn.cancelled():  # it was not given up a moment ago
                self._working[following] += 1
                turn.set_result(None)
                return

    def _is_free(self, address: str) -> bool:
        return self._working.total() < self._at_work and self._working[address] < self._of_address

    def _give_up(self, turn: asyncio.Future[None], address: str) -> None:
        if not turn.cancelled():  # it was given in the moment in which the wait ended
            self.end(address)
        elif turn in (queue := self._waiting.get(address, deque())):
            queue.remove(turn)
            if not queue:
                del self._waiting[address]


class RequestLimit:
    """ASGI middleware. A request has its turn until its response begins: a client that reads slowly holds up nobody. Pages that
    are read have turns of their own, so that a page that is slow to make holds up nobody's post.
    """

    def __init__(
        self, application: Application, *, wait_s: float = WAIT_S, password_wait_s: float = PASSWORD_WAIT_S
    ) -> None:
        self._application = application
        self._views = Turns(settings.VIEWS_AT_WORK, wait_s=wait_s)
        self._requests = Turns(settings.REQUESTS_AT_WORK, wait_s=wait_s)
        self._passwords = Turns(settings.PASSWORDS_AT_WORK, wait_s=password_wait_s)
        self._health = Turns(HEALTH_AT_WORK, wait_s=wait_s)
        self._static = Turns(STATIC_AT_WORK, wait_s=wait_s)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        turns = self._turns_for(scope)
        address = scope["client"][0] if scope.get("client") else ""
        if not await turns.take(address):
            await self._refuse(scope, receive, send)
            return
        working = True

        def end() -> None:
            nonlocal working
            if working:
                working = False
                turns.end(address)

        async def ending(event: AsgiEvent) -> None:
            end()
            await send(event)

        try:
            await self._application(scope, receive, ending)
        finally:
            end()

    def _turns_for(self, scope: dict[str, Any]) -> Turns:
        path, is_read = scope["path"], scope["method"] in {"GET", "HEAD"}
        if path.startswith(settings.STATIC_URL):
            return self._static
        if path.startswith("/health/"):
            return self._health
        if not is_read and path in PASSWORDS:
            return self._passwords
        return self._views if is_read and not path.startswith("/api/") else self._requests

    async def _refuse(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        event = await receive()  # the whole body, as RequestBodyLimit has read it
        request = ASGIRequest(scope, BytesIO(event.get("body", b"")))
        await send_response(to_page(request, Busy(retry_after_ms=RETRY_AFTER_MS)), send)
