"""Fan-out between processes: the only user of the channel layer.

What travels here are hints. They may be lost, doubled, reordered or late; correctness never rests on them, because every
reader is repaired from the log. So nothing in this room waits for a hint for longer than a moment, and `publish` cannot fail.
"""

from sessions_core.hub.link import listen_cancels
from sessions_core.hub.sender import publish, signal_access, signal_cancel, use_loop

__all__ = ["listen_cancels", "publish", "signal_access", "signal_cancel", "use_loop"]
