"""Live sockets: thin shells that parse, call and answer.

socket        one WebSocket: let in, received from, handed on
commands      what each frame does;  subscribing  of which this is the longest
connection    the outbox, the writer and the Subscriptions of one socket
delivery      all of them: sweeps, who may still be here, draining
gathering     presence between processes;  presence  as a plain machine
limits        how much one may ask
"""

from sessions_core.consumers.consumer import sessions_socket
from sessions_core.live.delivery import drain

__all__ = ["drain", "sessions_socket"]
