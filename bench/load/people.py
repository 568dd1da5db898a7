"""`python -m bench.load.people ACT PLAN`: what people do, in a process of its own, by the services. Prints JSON.

Times are µs of the monotonic clock. A hint is the first thing that a process sends after a commit: so that is when it was.
"""

import json
import sys
import time
import urllib.request
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID, uuid4

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402

from sessions_core import hints, log  # noqa: E402
from sessions_core.machines.feed import Span  # noqa: E402
from sessions_core.models import Ask, Event, Run  # noqa: E402
from sessions_core.protocol.author import Author  # noqa: E402
from sessions_core.protocol.events import Part  # noqa: E402
from sessions_core.protocol.ids import AskId, ClientId, SessionId, UserId  # noqa: E402
from sessions_core.protocol.run_states import RunState  # noqa: E402
from sessions_core.services import asks, dispatch, messages, runs, sessions  # noqa: E402
from tests.support.waiting import DEADLINE_S  # noqa: E402

POLL_S: Final = 0.02
PAUSE_S: Final = 0.05  # between two acts, so that each finds a worker at rest


class Commits:
    """Notes when the last commit was."""

    def __init__(self) -> None:
        self._at = 0
        self._publish = hints.publish
        hints.publish = self._noted

    def of(self, act: Callable[[], object]) -> int:
        """Performs the act, and returns when it was committed."""
        self._at = 0
        act()
        return self._at

    def _noted(self, span: Span) -> None:
        self._at = self._at or now()
        self._publish(span)


def now() -> int:
    return time.monotonic_ns() // 1000


def open_sessions(count: int, agent: str) -> list[dict[str, object]]:
    made = [sessions.create(by=BY, agent=agent) for _ in range(count)]
    return [{"session": str(session), "head": head.head} for session, head in log.heads(made).items()]


def post(streams: list[str], order: dict[str, object]) -> list[int]:
    """Posts the order in each Session. Returns the times of the commits."""
    return [COMMITS.of(lambda stream=stream: _post(SessionId(UUID(stream)), order)) for stream in streams]  # type: ignore[misc]


def wakes(*, times: int, lost: bool) -> list[float]:
    """Posts to an agent. Returns how many ms after the commit it began. With `lost` no worker is woken."""
    if lost:
        setattr(dispatch.dispatcher(), "wake", _lose)  # noqa: B010  # no type fits
    return [_wake() for _ in range(times)]


def answers(times: int) -> list[tuple[float, float]]:
    """Answers an agent's question. Returns how many ms after the call, and after the commit, the agent went on."""
    return [_answer() for _ in range(times)]


def stops(*, times: int, lost: bool, url: str) -> list[float]:
    """Stops an answer whose model is silent. Returns how many ms after the commit the provider's connection was closed. With
    `lost` no worker is sent a hint.
    """
    if lost:
        setattr(hints, "signal_cancel", _lose)  # noqa: B010
    return [_stop(url) for _ in range(times)]


def _post(session: SessionId, order: dict[str, object]) -> None:
    parts = [Part(type="text", text=json.dumps(order))]
    messages.post(session, by=BY, client_id=ClientId(uuid4()), parts=parts)


def _wake() -> float:
    time.sleep(PAUSE_S)
    session = sessions.create(by=BY, agent="timed")
    committed = COMMITS.of(lambda: _post(session, {}))
    return (_said(session) - committed) / 1000


def _answer() -> tuple[float, float]:
    session = sessions.create(by=BY, agent="timed")
    _post(session, {"ask": True})
    _until(lambda: Run.objects.filter(session_id=session, state=RunState.WAITING).exists())
    time.sleep(PAUSE_S)
    ask = AskId(Ask.objects.get(session_id=session).pk)
    called = now()
    committed = COMMITS.of(lambda: asks.answer(session, ask, by=BY, client_id=ClientId(uuid4()), value={}))
    said = _said(session)
    return (said - called) / 1000, (said - committed) / 1000


def _stop(url: str) -> float:
    before = _seen(url, "count")
    session = sessions.create(by=BY, agent="assistant")
    _post(session, {"words": 100, "every_ms": 1, "wait_at": 5})
    _until(lambda: _seen(url, "count") > before and _seen(url, "chunks") == 5)
    time.sleep(PAUSE_S)
    committed = COMMITS.of(lambda: runs.cancel(session, by=BY, client_id=ClientId(uuid4())))
    closed_at: int = _until(lambda: _seen(url, "closed_at"))
    return (closed_at - committed) / 1000


def _seen(url: str, field: str) -> int:
    """Returns a figure of the provider's newest request; `count` is the number of requests."""
    with urllib.request.urlopen(f"{url}/seen") as response:
        seen = json.loads(response.read())
    if field == "count":
        return len(seen)
    return int(seen[-1][field]) if seen else 0


def _said(session: SessionId) -> int:
    """Waits for the answer, and returns the time that it says."""
    completed = Event.objects.filter(session_id=session, kind="message.completed")
    return int(_until(lambda: completed.values_list("data", flat=True).first())["parts"][0]["text"])


def _until(fact: Callable[[], Any]) -> Any:  # noqa: ANN401  # whatever the fact is
    deadline = time.monotonic() + DEADLINE_S
    while True:
        time.sleep(POLL_S)
        if value := fact():
            return value
        assert time.monotonic() < deadline, "not in time"


def _lose(*_: object) -> None:
    pass


ACTS: Final[dict[str, Callable[..., object]]] = {
    act.__name__: act for act in (open_sessions, post, wakes, answers, stops)
}

if __name__ == "__main__":
    user, _ = User.objects.get_or_create(username="bench")
    BY = Author(user=UserId(user.pk), name="bench")
    COMMITS = Commits()
    json.dump(ACTS[sys.argv[1]](**json.loads(sys.argv[2])), sys.stdout)
