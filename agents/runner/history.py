"""Reads of the log what an agent asks for, and no more: the message to answer; the conversation before it, bounded."""

from collections.abc import Sequence
from typing import Any, Final, cast

from django.conf import settings
from django.db import connection

from agents.runner import prompt_view
from agents.sdk import Prompt
from sessions_core.protocol.claim import Claim
from sessions_core.protocol.events import Fact, MessageDequeued, MessagePosted, decode_fact
from sessions_core.protocol.ids import RunId

FOREVER: Final = 2**62  # above every seq
FACTS_PER_MESSAGE: Final = (
    4  # at most, of the kinds that a prompt is made of, but for Runs that were restarted or retried
)

_Row = tuple[int, RunId | None, Fact]  # a seq, the Run that wrote it, and the fact

_POSTED: Final = """
    SELECT seq, run_id, kind, data::text FROM event
    WHERE session_id = %(session)s AND message_id = %(message)s AND kind IN ('message.posted', 'message.dequeued')
    ORDER BY seq DESC LIMIT 1
"""
# The newest facts of the range, as many as hold so many Messages and bytes. The inner SELECT hands large values on as pointers.
_NEWEST: Final = """
    SELECT seq, run_id, kind, data::text FROM (
        SELECT seq, run_id, kind, data, sum(size) OVER newest AS bytes,
               count(*) FILTER (WHERE kind IN ('message.posted', 'message.started')) OVER newest AS messages
        FROM event WHERE session_id = %(session)s AND seq > %(after)s AND seq <= %(until)s AND kind = ANY(%(kinds)s)
        WINDOW newest AS (ORDER BY seq DESC ROWS UNBOUNDED PRECEDING) ORDER BY seq DESC LIMIT %(rows)s
    ) event WHERE bytes <= %(bytes)s AND messages <= %(messages)s ORDER BY seq
"""
_EARLIER: Final = """
    SELECT 1 FROM event WHERE session_id = %(session)s AND seq < %(start)s
    AND kind IN ('message.posted', 'message.started') LIMIT 1
"""


def read_input(claim: Claim) -> str:
    """Returns the text of the message to answer, as it was sent; empty where there is none."""
    posted = _read(_POSTED, claim, message=claim.replies_to)
    return prompt_view.text_of(posted[0][2]) if posted else ""


def read_prompt(claim: Claim, messages: int | None = None) -> Prompt:
    """Returns the conversation up to the message to answer: at most PROMPT_MESSAGES and PROMPT_BYTES of it, or so many
    `messages` if that is less. It begins with a message that was posted; what is before that is cut.
    """
    limit = min(messages or settings.PROMPT_MESSAGES, settings.PROMPT_MESSAGES)
    limits = {"messages": limit, "bytes": settings.PROMPT_BYTES, "rows": FACTS_PER_MESSAGE * limit}
    posted = _read(_POSTED, claim, message=claim.replies_to)
    until = posted[0][0] if posted else FOREVER
    facts = _read(_NEWEST, claim, after=0, until=until, kinds=[*prompt_view.KINDS], **limits)
    begun = [n for n, (_, _, fact) in enumerate(facts) if prompt_view.is_placed(fact)]
    cut = bool(begun) and _has_earlier(claim, facts[begun[0]][0])
    start = _cut(facts, begun) if cut else 0
    answers = [
        kind for kind in prompt_view.KINDS if kind != MessagePosted.kind
    ]  # to earlier messages, while this one waited
    facts = facts[start:] + _read(_NEWEST, claim, after=until, until=FOREVER, kinds=answers, **limits)
    shown = prompt_view.fold(((run, fact) for _, run, fact in facts), up_to=claim.replies_to)
    return Prompt(shown, cut=cut)


def _cut(facts: Sequence[_Row], begun: Sequence[int]) -> int:
    """Returns where to begin: of the oldest quarter of the messages in `begun`, at the one with the smallest id.

    It is the same one from Run to Run until it is too old, so that the prefix caches of providers go on to hit. The oldest of
    all would be another one each time.
    """
    return min(begun[: len(begun) // 4 + 1], key=lambda n: cast("MessagePosted | MessageDequeued", facts[n][2]).message)


def _read(statement: str, claim: Claim, **arguments: Any) -> list[_Row]:  # noqa: ANN401  # what SQL takes
    with connection.cursor() as cursor:
        cursor.execute(statement, {"session": claim.session, **arguments})
        rows = [(seq, RunId(run) if run else None, decode_fact(kind, data)) for seq, run, kind, data in cursor]
    return [(seq, run, fact) for seq, run, fact in rows if fact is not None]


def _has_earlier(claim: Claim, start: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_EARLIER, {"session": claim.session, "start": start})
        return cursor.fetchone() is not None
