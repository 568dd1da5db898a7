"""The log: the only writer of Event and of `Session.head`, and its readers.

writing     appends as a person, the system or an attempt of a Run; compacts; changes epochs
statement   the SQL that appends
ranges      reads a range, bounded in bytes
opening     reads without a cursor: from the beginning of a Message on
reading     finds heads, and what a command or a Run has appended
branches    finds where a Message hangs

May import `hints`, `models`, `machines` and `protocol`. Nothing here checks rights: `services` does. Nothing else in the project
writes Events. A new way to read is a function in one of the last four.
"""

from sessions_core.log.branches import Said, find_end, find_parent, find_said, stands
from sessions_core.log.opening import cold_start, open_before, open_last
from sessions_core.log.ranges import PAGE_BYTES, LogPage, read
from sessions_core.log.reading import (
    Position,
    actor_of,
    calls_in,
    find_command,
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
    "Said",
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
    "find_end",
    "find_parent",
    "find_said",
    "heads",
    "messages_of",
    "open_before",
    "open_calls",
    "open_last",
    "open_messages",
    "read",
    "stands",
    "started_messages",
    "text_of",
]
