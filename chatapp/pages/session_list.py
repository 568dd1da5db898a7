"""The list of Sessions in the side bar, in pages, under headings of the reader's calendar: “Today”, “Yesterday” and so on."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Final

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sessions_core.protocol import clock
from sessions_core.protocol.author import Author
from sessions_core.protocol.cursors import session_cursor
from sessions_core.protocol.ids import SessionId
from sessions_core.services import sessions
from sessions_core.services.sessions import SessionSummary

PAGE_SESSIONS: Final = 40  # on one page of the list: more than a screen shows
_WEEK: Final = timedelta(days=7)


def context(
    author: Author,
    *,
    search: str = "",
    before: datetime | None = None,
    before_id: SessionId | None = None,
    current: str = "",
) -> dict[str, Any]:
    """Returns the variables of `listing/list.html`. Reads one Session more than it shows, to know whether there are others."""
    found = sessions.listing(
        user=author.user, search=search, before=before, before_id=before_id, limit=PAGE_SESSIONS + 1
    )
    shown = found[:PAGE_SESSIONS]
    more = len(found) > PAGE_SESSIONS
    return {
        "groups": list(_by_day(shown)),
        "search": search,
        "current": current,
        "next": session_cursor(shown[-1].active_at, shown[-1].id) if more else None,
        "first_page": before is None,
    }


def heading(day: date, *, today: date) -> str:
    """Returns “Today”, “Yesterday”, one heading for the rest of a week, or the month."""
    age = today - day
    if age <= timedelta(0):
        return _("Today")
    if age == timedelta(days=1):
        return _("Yesterday")
    if age < _WEEK:
        return ngettext("Last %(days)d day", "Last %(days)d days", _WEEK.days) % {"days": _WEEK.days}
    return date_format(day, "F" if day.year == today.year else "F Y")


def _by_day(found: Iterable[SessionSummary]) -> Iterator[tuple[str, list[SessionSummary]]]:
    """Groups the Sessions, which come newest first, under their headings."""
    today = timezone.localdate(clock.now())
    for title, group in groupby(found, lambda s: heading(timezone.localdate(s.active_at), today=today)):
        yield title, list(group)
