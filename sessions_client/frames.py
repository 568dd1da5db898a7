"""The frames of docs/reference/wire.md. Unknown frame types, event kinds and fields are ignored: the wire may grow."""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

SUBPROTOCOL: Final = "durable-sessions.v1"
BEGINNING: Final = "00000000-0000-0000-0000-000000000000"  # as a `parent`: the message is the first of its conversation
FRAME_BYTES: Final = 512 * 1024  # of one frame to the server, until its `welcome` has said how many it takes


class Actor(Struct, frozen=True):
    """The person, agent or system that made an Event. `id` is the user id or the name of the agent."""

    kind: Literal["user", "agent", "system"]
    id: str
    name: str


class Event(Struct, frozen=True):
    """One numbered fact of a Session's log. The fields of `data` depend on the kind (docs/reference/wire.md › Events)."""

    seq: int
    kind: str
    at: str
    actor: Actor
    run: str | None = None
    data: dict[str, Any] = {}


class Welcome(Struct, frozen=True, tag="welcome"):
    """The answer to `hello`. The server sends a frame at least every `heartbeat_ms`."""

    user: str
    device: str
    heartbeat_ms: int
    protocol: int = 1
    limits: dict[str, Any] = {}


class Subscribed(Struct, frozen=True, tag="subscribed"):
    """The answer to `subscribe`. `restart`: the reader's cursor is not valid, so the Events that follow start anew."""

    session: str
    epoch: int
    head: int
    role: str
    restart: bool = False


class Events(Struct, frozen=True, tag="events"):
    """All Events of the seqs (`start`, `end`] that the log still holds. `older`: the log has messages before them."""

    session: str
    epoch: int
    start: int = msgspec.field(name="from")
    end: int = msgspec.field(name="to")
    events: list[Event] = []
    older: bool = False


class Ok(Struct, frozen=True, tag="ok"):
    """The answer to a command: it is in the log, at `seq`. `message` and `run` are the ids of what it made."""

    id: str
    seq: int
    message: str | None = None
    run: str | None = None
    outcome: str | None = None


class Error(Struct, frozen=True, tag="error"):
    """A refusal: of a command (`id`), of a `subscribe` (`session`), or of `hello`. `message` is a sentence for people."""

    code: str
    message: str
    retry: bool = False
    id: str | None = None
    session: str | None = None
    retry_after_ms: int | None = None


class Heartbeat(Struct, frozen=True, tag="heartbeat"):
    """`heads`: the newest seq of each followed Session."""

    heads: dict[str, int] = {}


class Pong(Struct, frozen=True, tag="pong"):
    heads: dict[str, int] = {}
    n: int | None = None


class Removed(Struct, frozen=True, tag="removed"):
    """The Session was deleted, or the user takes no part in it any more."""

    session: str
    reason: str = ""


class Goodbye(Struct, frozen=True, tag="goodbye"):
    """The server is about to close, with `code`."""

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
    """Returns the frame, or None for an unknown type. Raises msgspec.DecodeError for one that breaks the wire."""
    try:
        return _FRAMES.decode(text)
    except msgspec.ValidationError:
        if _TYPED.decode(text).type in _KNOWN:
            raise
        return None


def build(type: str, **fields: Any) -> str:  # noqa: ANN401  # any JSON value
    """Returns a client frame as JSON. Fields that are None are left out."""
    frame: Mapping[str, Any] = {"type": type, **{name: value for name, value in fields.items() if value is not None}}
    return msgspec.json.encode(frame).decode()
