"""Fan-out between processes: the only user of the channel layer.

What travels here are hints. They may be lost, doubled, reordered or late; correctness never rests on them, because every
reader is repaired from the log. So nothing in this room waits for a hint for longer than a moment, and `publish` cannot fail.

sender      telling, from any thread;  layer  the channel layer, taught to send many messages at once
link        hearing, and noticing when one has gone deaf
following   who follows what in this process: feeds, reads of the log, tail checks;  followed  one Session of it
"""

from sessions_core.hub.followed import Followed, Log, Page, Position
from sessions_core.hub.following import Hub
from sessions_core.hub.link import listen_cancels
from sessions_core.hub.messages import Message
from sessions_core.hub.sender import publish, signal_access, signal_cancel, use_loop

__all__ = [
    "Followed",
    "Hub",
    "Log",
    "Message",
    "Page",
    "Position",
    "listen_cancels",
    "publish",
    "signal_access",
    "signal_cancel",
    "use_loop",
]
