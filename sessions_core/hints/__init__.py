"""Hints: processes tell each other that a log has grown, that a Run is cancelled, or that a right was taken away.

A hint may be lost, doubled, reordered or late. Correctness never rests on one: readers find out from the log and workers from
the database. So nothing here blocks for long, and `publish` never raises. This package is the only user of the channel layer.

sender     sends from any thread
listener   receives, and reconnects when the connection is dead
messages   the messages, and the groups they are sent to; a new kind of hint is added here
layer      the channel layer of channels_redis, extended to send many messages in one round trip

May import `machines` and `protocol`.
"""

from sessions_core.hints.listener import listen_to_people
from sessions_core.hints.messages import Message
from sessions_core.hints.sender import Outlet, publish, signal_access, signal_cancel, signal_steer, use_loop

__all__ = [
    "Message",
    "Outlet",
    "listen_to_people",
    "publish",
    "signal_access",
    "signal_cancel",
    "signal_steer",
    "use_loop",
]
