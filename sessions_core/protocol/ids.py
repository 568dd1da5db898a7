"""Identities. Each is a type of its own, so that mypy refuses a Run's id where a Message's is wanted."""

from typing import Final, NewType
from uuid import UUID, uuid4

SessionId = NewType("SessionId", UUID)
MessageId = NewType("MessageId", UUID)
RunId = NewType("RunId", UUID)
AskId = NewType("AskId", UUID)
ClientId = NewType("ClientId", UUID)  # made by a client once per command, kept over its retries
DeviceId = NewType("DeviceId", UUID)  # made by a browser or app once per installation
UserId = NewType("UserId", int)

# As a `parent`: the Message is the first of its conversation.
BEGINNING: Final = MessageId(UUID(int=0))
SEQ_MAX: Final = 2**53  # above it JavaScript's numbers are not exact


def new_session() -> SessionId:
    return SessionId(uuid4())


def new_message() -> MessageId:
    return MessageId(uuid4())


def new_run() -> RunId:
    return RunId(uuid4())


def new_ask() -> AskId:
    return AskId(uuid4())
