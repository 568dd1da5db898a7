"""The log: the only writer of Event and of `Session.head`, and its readers.

writing   append, as a person or the system, or as the present attempt of a Run; compaction
reading   by range, from a Message's boundary, backwards; what a command or a Run wrote already
"""

from sessions_core.log.reading import (
    LogPage,
    Position,
    before,
    begun_messages,
    find_command,
    has_message,
    heads,
    newest_message,
    open_last,
    open_messages,
    read,
)
from sessions_core.log.writing import Write, append, append_all, append_as, bump_epoch, compact

__all__ = [
    "LogPage",
    "Position",
    "Write",
    "append",
    "append_all",
    "append_as",
    "before",
    "begun_messages",
    "bump_epoch",
    "compact",
    "find_command",
    "has_message",
    "heads",
    "newest_message",
    "open_last",
    "open_messages",
    "read",
]
