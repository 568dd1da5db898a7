"""The log: the only writer of Event and of `Session.head`, and its readers.

writing     appends as a person, the system or an attempt of a Run; compacts; changes epochs
statement   the SQL that appends
ranges      reads a range, bounded in bytes
opening     reads without a cursor: from the beginning of a Message on
reading     finds heads, and what a command or a Run has appended

May import `hints`, `models`, `machines` and `protocol`. Nothing here checks rights: `services` does. Nothing else in the project
writes Events. A new way to read is a function in one of the last three.
"""

from sessions_core.log.opening import cold_start, open_before, open_last
from sessions_core.log.ranges import PAGE_BYTES, LogPage, read
from sessions_core.log.reading import (
    Position,
    actor_of,
    calls_in,
    find_command,
    find_newest_message,
    has_message,
    heads,
    messages_of,
    open_calls,
    open_messages,
    started_messages,
    text_of,
)
from sessions_core.log.writing import Write, append, append_all, append_as, bump_epoch, compact

__all__ = [
    "PAGE_BYTES",
    "LogPage",
    "Position",
    "Write",
    "actor_of",
    "append",
    "append_all",
    "append_as",
    "bump_epoch",
    "calls_in",
    "cold_start",
    "compact",
    "find_command",
    "find_newest_message",
    "has_message",
    "heads",
    "messages_of",
    "open_before",
    "open_calls",
    "open_last",
    "open_messages",
    "read",
    "started_messages",
    "text_of",
]
