"""The acts that these tests are told in, as sentences."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from django.db import connection

from sessions_core import log
from sessions_core.protocol.author import Author
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import Event, Fact, MessageDelta, MessageStarted, Part, decode_fact
from sessions_core.protocol.ids import ClientId, MessageId, SessionId, new_message
from sessions_core.services import access, messages, runs

if TYPE_CHECKING:
    from django.contrib.auth.models import User

T = TypeVar("T")


def author(user: "User") -> Author:
    return access.author(user)


def client_id() -> ClientId:
    return ClientId(uuid4())


def say(session: SessionId, by: Author, text: str = "hello", **more: object) -> messages.Posted:
    more.setdefault("client_id", client_id())
    return messages.post(session, by=by, parts=[Part(type="text", text=text)], **more)  # type: ignore[arg-type]


def claimed(session: SessionId, by: Author) -> Claim:
    """A Run of a new post, in the hands of a worker."""
    claim = runs.claim(say(session, by).run, worker="w1")
    assert claim is not None
    return claim


def begin(claim: Claim) -> MessageId:
    message = new_message()
    log.append_as(
        claim, [MessageStarted(message=message, parent=claim.replies_to, role="assistant", agent=claim.agent)]
    )
    return message


def delta(message: MessageId, offset: int, text: str) -> MessageDelta:
    return MessageDelta(message=message, part=0, part_type="text", offset=offset, text=text)


def facts(session: SessionId, *, after: int = 0) -> list[Fact]:
    """What the log holds, merged as readers get it."""
    return [fact for event in whole(session, after=after) if (fact := decode_fact(event.kind, bytes(event.data)))]


def whole(session: SessionId, *, after: int = 0) -> list[Event]:
    return log.read(session, after=after).events


def kinds(session: SessionId) -> list[str]:
    return [event.kind for event in whole(session)]


def at_once(*acts: Callable[[], T]) -> list[T | Exception]:
    """Runs the acts in threads with connections of their own; what each gave or raised."""

    def act_alone(act: Callable[[], T]) -> T | Exception:
        try:
            return act()
        except Exception as error:  # noqa: BLE001  # the test looks at it
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(act_alone, acts))
