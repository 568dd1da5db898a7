"""The WebSocket: a thin shell that receives frames, executes them and sends the answers.

May import `live` and all below it; what is not about WebSockets belongs there. A frame of a new type is declared in
`protocol.frames` and executed in `commands`.

consumer   the Channels consumer: accepts or refuses a socket, and carries a Connection's frames
receiver   checks and queues the frames of one client
commands   executes each frame;  subscribe  the longest of them
"""

from sessions_core.consumers.consumer import SessionsConsumer

__all__ = ["SessionsConsumer"]
