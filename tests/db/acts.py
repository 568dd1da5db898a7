"""Helpers of the database tests: acts of people and workers, and what the log holds after them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from django.db import connection
from msgspec import Struct

from sessions_core import log
from sessions_core.models import Run
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import Event, Fact, MessageDelta, MessageStarted, Part, PostState, decode_fact
from sessions_core.protocol.ids import ClientId, MessageId, RunId, SessionId, new_message
from sessions_core.services import access, messages, runs

if TYPE_CHECKING:
    from django.contrib.auth.models import User

T = TypeVar("T")


def author(user: "User") -> Author:
    return access.author(user)


def new_client_id() -> ClientId:
    return ClientId(uuid4())


class Posted(Struct, frozen=True):
    """A post that an answer was requested for."""

    seq: int
    message: MessageId
    run: RunId
    outcome: PostState
    repeated: bool


def post_message(session: SessionId, by: Author, text: str = "hello", **more: object) -> Posted:
    """Posts a message that steers no Run."""
    more.setdefault("client_id", new_client_id())
    posted = messages.post(session, by=by, parts=[Part(type="text", text=text)], **more)  # type: ignore[arg-type]
    assert posted.run is not None
    return Posted(posted.seq, posted.message, posted.run, posted.outcome, posted.repeated)


def post_and_claim(session: SessionId, by: Author) -> Claim:
    """Posts a message and claims its Run for a worker."""
    return claim_run(post_message(session, by).run)


def claim_run(run: RunId) -> Claim:
    """Claims the Run for the worker `w1`."""
    session = SessionId(Run.objects.values_list("session_id", flat=True).get(pk=run))
    claim = runs.claim(session, run, worker="w1")
    assert claim is not None
    return claim


def start_message(claim: Claim) -> MessageId:
    message = new_message()
    log.append_as(
        claim, [MessageStarted(message=message, parent=claim.replies_to, role="assistant", agent=claim.agent)]
    )
    return message


def delta(message: MessageId, offset: int, text: str) -> MessageDelta:
    return MessageDelta(message=message, part=0, part_type="text", offset=offset, text=text)


def facts(session: SessionId, *, after: int = 0) -> list[Fact]:
    """Returns the log's facts, with deltas joined as readers get them."""
    return [fact for event in read_events(session, after=after) if (fact := decode_fact(event.kind, bytes(event.data)))]


def read_events(session: SessionId, *, after: int = 0) -> list[Event]:
    return log.read(session, after=after).events


def kinds(session: SessionId) -> list[str]:
    return [event.kind for event in read_events(session)]


def somebody_waits(*, count: int = 1) -> bool:
    """Returns whether so many connections to this test's database wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT waiting.pid) FROM pg_locks waiting JOIN pg_locks here ON here.pid = waiting.pid"
            " JOIN pg_database ON pg_database.oid = here.database AND datname = current_database()"
            " WHERE NOT waiting.granted"
        )
        return bool(cursor.fetchone()[0] >= count)


def concurrently(*acts: Callable[[], T]) -> list[T | Exception]:
    """Calls the acts at the same time, each with a connection of its own. Returns what each returned or raised."""

    def call(act: Callable[[], T]) -> T | Exception:
        try:
            return act()
        except Exception as error:  # noqa: BLE001  # the caller looks at it
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(call, acts))
