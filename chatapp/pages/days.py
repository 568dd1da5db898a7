"""Headings of the list of Sessions: “Today”, “Yesterday” and so on, in the reader's time zone."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import groupby

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sessions_core.protocol import clock
from sessions_core.services.sessions import SessionSummary

_WEEK = timedelta(days=7)


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


def by_day(sessions: Iterable[SessionSummary]) -> Iterator[tuple[str, list[SessionSummary]]]:
    """Groups the Sessions, which come newest first, under their headings."""
    today = timezone.localdate(clock.now())
    for title, group in groupby(sessions, lambda s: heading(timezone.localdate(s.active_at), today=today)):
        yield title, list(group)
