"""A client of the wire (docs/reference/wire.md), for scripts, tests and benchmarks. It needs nothing of the server's code.

    async with Client("ws://127.0.0.1:8000/ws/", token) as client:
        await client.post(session, "Hello")
        async for page in client.follow(session, last=20):
            for event in page.events:
                ...

errors     what can be raised
frames     the frames and the Event, parsed and built
place      the range rule as a machine without I/O: a reader's cursor, and what each frame means to it
reconnect  when to try again, and when not to
commands   posts and cancels on their way, kept under their id until they are answered
following  a Session being followed
link       one WebSocket
client     the whole: one durable connection made of many links
"""

from sessions_client.client import Client
from sessions_client.errors import ClientError, Closed, Refused, Removed
from sessions_client.following import Following
from sessions_client.frames import Actor, Event, Ok, Welcome
from sessions_client.link import Recorder
from sessions_client.place import Page

__all__ = [
    "Actor",
    "Client",
    "ClientError",
    "Closed",
    "Event",
    "Following",
    "Ok",
    "Page",
    "Recorder",
    "Refused",
    "Removed",
    "Welcome",
]
