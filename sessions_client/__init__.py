"""A client of the wire (docs/reference/wire.md), for scripts, tests and benchmarks.

    async with Client("ws://127.0.0.1:8000/ws/", token) as client:
        await client.post(session, "Hello")
        async for batch in client.follow(session, last=20):
            for event in batch.events:
                ...

May import `msgspec` and `websockets`, and nothing of the server. A new frame is a Struct in `frames` and a case in
`Client._receive`; a new command is a method of `Client`.

client        `Client`: one durable connection, made of as many WebSockets as it takes
websocket     one WebSocket, from the upgrade to its end
reconnect     the wait before the next WebSocket, and the close codes that forbid one
commands      commands that are not answered yet, kept under their ids
event_stream  one followed Session, as an async iterator of `Batch`es
range_rule    the range rule of the wire as a state machine without I/O
frames        the frames, parsed and built
errors        the exceptions
"""

from sessions_client.client import Client
from sessions_client.errors import ClientError, Closed, Refused, Removed
from sessions_client.event_stream import EventStream
from sessions_client.frames import BEGINNING, Actor, Event, Ok, Welcome
from sessions_client.range_rule import Batch
from sessions_client.websocket import Recorder

__all__ = [
    "BEGINNING",
    "Actor",
    "Batch",
    "Client",
    "ClientError",
    "Closed",
    "Event",
    "EventStream",
    "Ok",
    "Recorder",
    "Refused",
    "Removed",
    "Welcome",
]
