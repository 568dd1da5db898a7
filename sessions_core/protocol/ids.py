"""Identities. Each is a type of its own, so that a run's id is never taken for a message's."""

from typing import NewType
from uuid import UUID, uuid4

SessionId = NewType("SessionId", UUID)
MessageId = NewType("MessageId", UUID)
RunId = NewType("RunId", UUID)
ClientId = NewType("ClientId", UUID)  # made by a client once per command, kept over its retries
DeviceId = NewType("DeviceId", UUID)  # made by a browser or app once per installation
UserId = NewType("UserId", int)


def new_session() -> SessionId:
    return SessionId(uuid4())


def new_message() -> MessageId:
    return MessageId(uuid4())


def new_run() -> RunId:
    return RunId(uuid4())
