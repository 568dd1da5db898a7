"""Hints: how processes tell each other that a log has grown, that a Run is cancelled, or that a right was taken away.

A hint may be lost, doubled, reordered or late. Correctness never rests on one: every reader is repaired from the log. So nothing
here waits longer than a moment, and `publish` never raises. The only user of the channel layer.

May import `machines` and `protocol`. A new kind of hint is added to `messages`.

sender    sends from any thread;  layer  the channel layer, extended to send many messages in one round trip
link      receives, and notices when it has gone deaf;  messages  the messages and the groups that they are sent to
"""

from sessions_core.hints.link import listen_cancels
from sessions_core.hints.messages import Message
from sessions_core.hints.sender import publish, signal_access, signal_cancel, use_loop

__all__ = ["Message", "listen_cancels", "publish", "signal_access", "signal_cancel", "use_loop"]
