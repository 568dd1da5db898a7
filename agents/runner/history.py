"""Reads of the log what an agent asks for, and no more: the message to answer; the conversation before it, bounded."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection
from msgspec import Raw, Struct

from agents.runner import prompt_view
from agents.runner.prompt_view import PromptView, ShownExchange
from agents.sdk.prompt_reader import Conversation
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.clock import wire
from sessions_core.protocol.events import Actor, Event, MessageDequeued, MessagePosted, MessageStarted, decode_fact
from sessions_core.protocol.ids import RunId

FOREVER: Final = 2**62  # above every seq
FACTS_PER_MESSAGE: Final = (
    4  # at most, of the kinds that a prompt is made of, but for Runs that were restarted or retried
)
READS: Final = (
    16  # of the log for one prompt: other branches between the messages of this one may have so much together
)

# The events after which the message to answer stands in the conversation.
_POSTED: Final = """
    SELECT seq, kind, at, actor_kind, actor_id, actor_name, run_id, message_id, data::text FROM event
    WHERE session_id = %(session)s AND message_id = %(message)s AND kind IN ('message.posted', 'message.dequeued')
    ORDER BY seq DESC LIMIT 1
"""
# The newest facts of the range, as many as hold so many Messages and bytes. The inner SELECT hands large values on as pointers.
_NEWEST: Final = """
    SELECT seq, kind, at, actor_kind, actor_id, actor_name, run_id, message_id, data::text FROM (
        SELECT seq, kind, at, actor_kind, actor_id, actor_name, run_id, message_id, data, sum(size) OVER newest AS bytes,
               count(*) FILTER (WHERE kind IN ('message.posted', 'message.started')) OVER newest AS messages
        FROM event WHERE session_id = %(session)s AND seq > %(after)s AND seq <= %(until)s AND kind = ANY(%(kinds)s)
        WINDOW newest AS (ORDER BY seq DESC ROWS UNBOUNDED PRECEDING) ORDER BY seq DESC LIMIT %(rows)s
    ) event WHERE bytes <= %(bytes)s AND messages <= %(messages)s ORDER BY seq
"""
_EARLIER: Final = """
    SELECT 1 FROM event WHERE session_id = %(session)s AND seq < %(start)s
    AND kind IN ('message.posted', 'message.started') LIMIT 1
"""


class _Row(Struct, frozen=True):
    """An Event, and the Message that it is about."""

    event: Event
    message: UUID | None

    @property
    def begins_message(self) -> bool:
        return self.event.kind in {MessagePosted.kind, MessageStarted.kind}


def read_input(claim: Claim) -> str:
    """Returns the text of the message to answer, as it was sent; empty where there is none."""
    for row in _read(_POSTED, claim, message=claim.replies_to):
        match decode_fact(row.event.kind, bytes(row.event.data)):
            case MessagePosted(parts=parts) | MessageDequeued(parts=parts):
                return "\n\n".join(part.text for part in parts or ())
            case _:
                pass
    return ""


def read_prompt(claim: Claim, messages: int | None = None) -> Conversation:
    """Returns the conversation up to the message to answer, on its branch: at most PROMPT_MESSAGES and PROMPT_BYTES of it, or so
    many `messages` if that is less. It begins with a message that was posted; what is before that is cut.
    """
    view = _read_branch(claim, min(messages or settings.PROMPT_MESSAGES, settings.PROMPT_MESSAGES))
    posted = [n for n, exchange in enumerate(view.exchanges) if exchange.message]
    cut = bool(posted) and not view.is_whole and _has_earlier(claim, view.exchanges[posted[0]].seq)
    shown = view.exchanges[_cut(view.exchanges, posted) if cut else 0 :]
    return Conversation([message for exchange in shown for message in exchange.shown], has_earlier=cut)


def _read_branch(claim: Claim, limit: int) -> PromptView:
    """Reads back from the message to answer. Where other branches have taken room, it reads on for this one."""
    posted = _read(_POSTED, claim, message=claim.replies_to)
    until = posted[0].event.seq if posted else FOREVER
    answers = [kind for kind in prompt_view.KINDS if kind != MessagePosted.kind]  # to earlier messages, meanwhile
    rows = _read_newest(claim, after=until, until=FOREVER, kinds=answers, limit=limit, size=settings.PROMPT_BYTES)
    reads, size = 0, settings.PROMPT_BYTES
    while True:
        page = _read_newest(claim, after=0, until=until, kinds=prompt_view.KINDS, limit=limit, size=size)
        rows, reads = [*page, *rows], reads + 1
        view = prompt_view.fold((row.event for row in rows), up_to=claim.replies_to)
        is_all_on_branch = not any(row.begins_message and row.message not in view.messages for row in page)
        if view.is_whole or is_all_on_branch or reads == READS:
            return view
        on_branch = [row for row in page if row.message in view.messages]
        until = page[0].event.seq - 1
        limit -= sum(row.begins_message for row in on_branch)
        size -= sum(len(row.event.data) for row in on_branch)


def _read_newest(claim: Claim, *, after: int, until: int, kinds: Sequence[str], limit: int, size: int) -> list[_Row]:
    rows = FACTS_PER_MESSAGE * max(limit, 0)
    limits = {"messages": limit, "bytes": size, "rows": rows}
    return _read(_NEWEST, claim, after=after, until=until, kinds=[*kinds], **limits)


def _cut(exchanges: Sequence[ShownExchange], posted: Sequence[int]) -> int:
    """Returns where to begin: of the oldest quarter of the messages in `posted`, at the one with the smallest id.

    It is the same one from Run to Run until it is too old, so that the prefix caches of providers go on to hit. The oldest of
    all would be another one each time.
    """
    return min(posted[: len(posted) // 4 + 1], key=lambda n: str(exchanges[n].message))


def _read(statement: str, claim: Claim, **arguments: Any) -> list[_Row]:  # noqa: ANN401  # what SQL takes
    with connection.cursor() as cursor:
        cursor.execute(statement, {"session": claim.session, **arguments})
        return [
            _Row(Event(seq, kind, wire(at), Actor(*actor), RunId(run) if run else None, Raw(data.encode())), message)
            for seq, kind, at, *actor, run, message, data in cursor
        ]


def _has_earlier(claim: Claim, start: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_EARLIER, {"session": claim.session, "start": start})
        return cursor.fetchone() is not None
