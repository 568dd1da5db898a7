"""Positions in a list or a log, as text in an address. The API and the pages both read them here."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sessions_core.protocol.ids import SEQ_MAX, SessionId

_SEQ_DIGITS: Final = len(str(SEQ_MAX))  # int() refuses thousands of digits


def parse_seq(text: str) -> int:
    """Returns the seq. Raises ValueError for anything else."""
    if text.isascii() and text.isdecimal() and len(text) <= _SEQ_DIGITS and int(text) <= SEQ_MAX:
        return int(text)
    raise ValueError(f"that is no whole number from 0 to {SEQ_MAX}")


def parse_session_cursor(text: str) -> tuple[datetime, SessionId | None]:
    """Returns the moment, in UTC, and the Session after which a page of the list begins. Raises ValueError for anything else.

    A moment alone will do, as ISO 8601 with an offset. An offset may lead out of the calendar, and PostgreSQL takes none above
    16 hours, so the moment is turned into UTC here.
    """
    moment, _, session = text.partition("_")
    try:
        at, after = datetime.fromisoformat(moment), SessionId(UUID(session)) if session else None
        if at.tzinfo is not None:
            return at.astimezone(UTC), after
    except (ValueError, OverflowError):
        pass
    raise ValueError("that is neither a `next` of this list nor a moment")


def session_cursor(active_at: datetime, session: SessionId) -> str:
    """Returns the position after that Session, to the microsecond, as the database compares. With a Z, because the + of an
    offset means a blank in a query string.
    """
    return f"{active_at.astimezone(UTC).isoformat().replace('+00:00', 'Z')}_{session}"
