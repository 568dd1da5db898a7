"""The wire's frames. What the client does not know is ignored: frame types, event kinds and fields may be added."""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

SUBPROTOCOL: Final = "durable-sessions.v1"
FRAME_LIMIT: Final = 64 * 1024  # bytes of one frame that we send; the server closes with 1009 above it


class Actor(Struct, frozen=True):
    """Who made an Event."""

    kind: Literal["user", "agent", "system"]
    id: str
    name: str


class Event(Struct, frozen=True):
    """One numbered fact of a Session's log. `data` by the kind: docs/reference/wire.md › Events."""

    seq: int
    kind: str
    at: str
    actor: Actor
    run: str | None = None
    data: dict[str, Any] = {}


class Welcome(Struct, frozen=True, tag="welcome"):
    """`heartbeat_ms`: the server says something at least that often."""

    user: str
    device: str
    heartbeat_ms: int
    protocol: int = 1
    limits: dict[str, Any] = {}


class Subscribed(Struct, frozen=True, tag="subscribed"):
    session: str
    epoch: int
    head: int
    role: str
    restart: bool = False


class Events(Struct, frozen=True, tag="events"):
    """All Events of the seqs (`start`, `end`] that the log still holds."""

    session: str
    epoch: int
    start: int = msgspec.field(name="from")
    end: int = msgspec.field(name="to")
    events: list[Event] = []
    older: bool = False


class Ok(Struct, frozen=True, tag="ok"):
    """A command is in the log, at `seq`, with what it made."""

    id: str
    seq: int
    message: str | None = None
    run: str | None = None
    outcome: str | None = None


class Error(Struct, frozen=True, tag="error"):
    code: str
    message: str
    retry: bool = False
    id: str | None = None
    session: str | None = None
    retry_after_ms: int | None = None


class Heartbeat(Struct, frozen=True, tag="heartbeat"):
    heads: dict[str, int] = {}


class Pong(Struct, frozen=True, tag="pong"):
    heads: dict[str, int] = {}
    n: int | None = None


class Removed(Struct, frozen=True, tag="removed"):
    session: str
    reason: str = ""


class Goodbye(Struct, frozen=True, tag="goodbye"):
    code: int
    reason: str = ""
    retry_after_ms: int | None = None


ServerFrame = Welcome | Subscribed | Events | Ok | Error | Heartbeat | Pong | Removed | Goodbye


class _Typed(Struct):
    type: str


_FRAMES: Final[msgspec.json.Decoder[ServerFrame]] = msgspec.json.Decoder(ServerFrame)
_TYPED: Final = msgspec.json.Decoder(_Typed)
_KNOWN: Final = frozenset({"welcome", "subscribed", "events", "ok", "error", "heartbeat", "pong", "removed", "goodbye"})


def parse(text: str) -> ServerFrame | None:
    """The server's frame, None for a type that we do not know. Raises msgspec.ValidationError for one that breaks the wire."""
    try:
        return _FRAMES.decode(text)
    except msgspec.ValidationError:
        if _TYPED.decode(text).type in _KNOWN:
            raise
        return None


def build(type: str, **fields: Any) -> str:  # noqa: ANN401  # any JSON value
    """A frame of ours; fields that are None are left out."""
    frame: Mapping[str, Any] = {"type": type, **{name: value for name, value in fields.items() if value is not None}}
    return msgspec.json.encode(frame).decode()
