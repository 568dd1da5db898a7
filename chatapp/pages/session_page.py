"""The page of one Session: the Exchanges that the server renders, and their Events, from which the script continues."""

from collections.abc import Mapping
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from django.utils.safestring import SafeString, mark_safe

from chatapp.pages import frame
from chatapp.pages.layout import lay_out, queue_of, run_of_turn, run_to_stop
from chatapp.pages.run_status import STATUS_KINDS, Reader, RunStatus
from chatapp.pages.strings import STRINGS
from sessions_core.log import LogPage
from sessions_core.protocol.events import Actor
from sessions_core.protocol.ids import UserId
from sessions_core.protocol.timeline import fold
from sessions_core.protocol.timeline_types import Timeline
from sessions_core.services.dispatch import dispatcher
from sessions_core.services.sessions import SessionSummary

_IN_SCRIPT = str.maketrans({"<": "\\u003C", ">": "\\u003E", "&": "\\u0026"})  # as Django's json_script does


_OFFERS: Final[Mapping[str, Literal["retry", "go_on"]]] = {"stopped": "retry", "failed": "retry", "unfinished": "go_on"}
# The values of the element templates that the script copies and fills in.
_NOBODY = Actor(kind="user", id="", name="")
_BLANKS: Final = {
    "blank_message": {"id": "", "state": "", "parts": [], "text": "", "actor": _NOBODY, "at": ""},
    "blank_answer": {"run_id": UUID(int=0), "items": []},
    "blank_statuses": [RunStatus(kind, "", _OFFERS.get(kind, "")) for kind in STATUS_KINDS],
}


def context(page: LogPage, *, session: SessionSummary, me: UserId) -> dict[str, Any]:
    """Returns the variables of the templates in `session/`. `me` is the reader."""
    timeline = Timeline()
    fold(timeline, page.events)
    titles = {info.name: info.title for info in dispatcher().agents()}
    reader = Reader(me=str(me), agents=titles, role=session.role)
    return {
        "session": session,
        "exchanges": lay_out(timeline, reader),
        "queue": queue_of(timeline),
        "reader": reader,
        "me": str(me),
        "may_write": session.role != "viewer" and session.archived_at is None,
        "run_to_stop": run_to_stop(timeline),
        "run_to_steer": run_of_turn(timeline),
        "answer_word": STRINGS["ask_answer"],
        "agent": frame.agent(session.agent),
        "older": page.span.start if page.older else None,
        "start": _start(page, session=session, me=me, agents=titles),
        **_BLANKS,
    }


def _start(page: LogPage, *, session: SessionSummary, me: UserId, agents: dict[str, str]) -> SafeString:
    """Returns JSON for a `<script type="application/json">`. The Events keep the encoding of the log."""
    start = {
        "session": session.id,
        "title": session.title,
        "epoch": page.span.epoch,
        "from": page.span.start,
        "to": page.span.end,
        "older": page.older,
        "events": msgspec.Raw(b"[" + page.span.body + b"]"),
        "me": str(me),
        "role": session.role,
        "agents": agents,
    }
    return mark_safe(msgspec.json.encode(start).decode().translate(_IN_SCRIPT))  # noqa: S308  # escaped above
