"""The frames of the wire as closed types (docs/reference/wire.md): parsed once, when they arrive; encoded once for all."""

import re
from typing import Annotated, Final, Literal, get_args

import msgspec
from msgspec import UNSET, Struct, UnsetType

from sessions_core.protocol.errors import BadField, BadFrame, Refusal
from sessions_core.protocol.events import Role
from sessions_core.protocol.ids import SEQ_MAX, AskId, ClientId, DeviceId, MessageId, RunId, SessionId
from sessions_core.protocol.text import LONE_SURROGATE

SUBPROTOCOL: Final = "durable-sessions.v1"
VERSION: Final = 1
# Of a frame from a client; for a larger one the Connection closes with 1009. The longest message, were each of its characters
# escaped as two \uXXXX, has room in it.
FRAME_BYTES: Final = 512 * 1024

CLOSE_TOO_LARGE: Final = 1009
CLOSE_RESTART: Final = 1012  # reconnect after the `retry_after_ms` of the goodbye
CLOSE_BUSY: Final = 1013
CLOSE_MISBEHAVING: Final = 4400  # do not reconnect
CLOSE_NOT_SIGNED_IN: Final = 4401  # do not reconnect, sign in
CLOSE_TOO_SLOW: Final = 4408  # reconnect
CLOSE_CONNECTION_LIMIT: Final = 4409  # do not reconnect unless the user asks for it

Seq = Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)]
Policy = Literal["queue", "steer", "interrupt", "reject"]
POLICIES: Final[tuple[Policy, ...]] = get_args(Policy)


# Frames that a client sends.


class PostedPart(Struct, frozen=True, tag="text"):
    """The only kind of part that a person can post."""

    text: str


class Hello(Struct, frozen=True, tag="hello"):
    device: DeviceId
    label: str = ""


class Subscribe(Struct, frozen=True, tag="subscribe"):
    """`after` with `epoch` resumes at a cursor. Without a cursor, the range begins with the `last` newest Messages."""

    session: SessionId
    after: Seq | None = None
    epoch: Seq | None = None
    last: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50


class Unsubscribe(Struct, frozen=True, tag="unsubscribe"):
    session: SessionId


class Post(Struct, frozen=True, tag="post"):
    id: ClientId
    session: SessionId
    parts: tuple[PostedPart, ...]
    parent: MessageId | None = None
    agent: str | None = None
    policy: Policy | None = None


class Regenerate(Struct, frozen=True, tag="regenerate"):
    id: ClientId
    session: SessionId
    message: MessageId


class Cancel(Struct, frozen=True, tag="cancel"):
    """Cancels one Run; without `run`, all active Runs of the Session."""

    id: ClientId
    session: SessionId
    run: RunId | None = None


class Answer(Struct, frozen=True, tag="answer"):
    """Answers an Ask with a `value` that fits its schema, or declines to answer."""

    id: ClientId
    session: SessionId
    ask: AskId
    value: object | UnsetType = UNSET
    declined: bool = False


class Unqueue(Struct, frozen=True, tag="unqueue"):
    id: ClientId
    session: SessionId
    message: MessageId


class EditQueued(Struct, frozen=True, tag="edit_queued"):
    id: ClientId
    session: SessionId
    message: MessageId
    parts: tuple[PostedPart, ...]


class ResumeQueue(Struct, frozen=True, tag="resume_queue"):
    id: ClientId
    session: SessionId


class Read(Struct, frozen=True, tag="read"):
    session: SessionId
    seq: Seq


class Typing(Struct, frozen=True, tag="typing"):
    session: SessionId
    active: bool


class Ping(Struct, frozen=True, tag="ping"):
    n: Seq | UnsetType = UNSET


Command = Post | Regenerate | Cancel | Answer | Unqueue | EditQueued | ResumeQueue
ClientFrame = Hello | Subscribe | Unsubscribe | Command | Read | Typing | Ping


# Frames that the server sends.


class Welcome(Struct, frozen=True, tag="welcome"):
    """`user` is the user's id, `name` is shown to people. `limits` are bytes, code points and counts, as their names say."""

    protocol: int
    user: str
    name: str
    device: DeviceId
    heartbeat_ms: int
    limits: dict[str, int]


class Subscribed(Struct, frozen=True, tag="subscribed"):
    session: SessionId
    epoch: int
    head: int
    role: Role
    restart: bool


class Unsubscribed(Struct, frozen=True, tag="unsubscribed"):
    session: SessionId


class Ok(Struct, frozen=True, tag="ok", omit_defaults=True):
    id: ClientId
    seq: int
    message: MessageId | UnsetType = UNSET
    run: RunId | UnsetType = UNSET
    outcome: str | UnsetType = UNSET


class Error(Struct, frozen=True, tag="error", omit_defaults=True):
    code: str
    message: str
    retry: bool
    id: ClientId | UnsetType = UNSET
    session: SessionId | UnsetType = UNSET
    retry_after_ms: int | UnsetType = UNSET
    fields: dict[str, str] | UnsetType = UNSET


class Presence(Struct, frozen=True, tag="presence"):
    session: SessionId
    devices: tuple["PresentDevice", ...]


class PresentDevice(Struct, frozen=True):
    device: DeviceId
    user: str
    name: str
    label: str
    state: Literal["active", "idle"]
    typing: bool


class Heartbeat(Struct, frozen=True, tag="heartbeat"):
    heads: dict[SessionId, int]


class Pong(Struct, frozen=True, tag="pong", omit_defaults=True):
    heads: dict[SessionId, int]
    n: int | UnsetType = UNSET


class Removed(Struct, frozen=True, tag="removed"):
    session: SessionId
    reason: str


class Goodbye(Struct, frozen=True, tag="goodbye", omit_defaults=True):
    code: int
    reason: str
    retry_after_ms: int | UnsetType = UNSET


ServerFrame = Welcome | Subscribed | Unsubscribed | Ok | Error | Presence | Heartbeat | Pong | Removed | Goodbye


class _Addressee(Struct):
    id: ClientId | UnsetType = UNSET
    session: SessionId | UnsetType = UNSET


_ADDRESSEES: Final = msgspec.json.Decoder(_Addressee)
_ESCAPED_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_CLIENT_FRAMES: Final[msgspec.json.Decoder[ClientFrame]] = msgspec.json.Decoder(ClientFrame)
_ENCODER: Final = msgspec.json.Encoder()


def parse(text: str | bytes) -> ClientFrame:
    """Returns the client's frame. Raises BadFrame or BadField, with a sentence that names the fault."""
    try:
        return _CLIENT_FRAMES.decode(text)
    except msgspec.ValidationError as error:
        sentence = str(error)
        if sentence.endswith(("field `type`", "`$.type`")) or sentence.startswith("Expected `object`"):
            raise BadFrame(f"That is no frame of this protocol: {sentence}.") from None
        raise BadField(f"{sentence}.") from None
    except RecursionError:
        raise BadFrame("That is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeError):
        if _ESCAPED_SURROGATE.search(text if isinstance(text, str) else text.decode(errors="replace")):
            raise BadField(f"The text {LONE_SURROGATE}") from None
        raise BadFrame("That is not JSON.") from None


def addressee(text: str) -> tuple[ClientId | UnsetType, SessionId | UnsetType]:
    """Returns the command id and the Session that a refused frame names, if they can be read."""
    found = _read_addressee(text) or _read_addressee(_ESCAPED_SURROGATE.sub("?", text)) or _Addressee()
    return found.id, found.session


def _read_addressee(text: str) -> _Addressee | None:
    try:
        return _ADDRESSEES.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def error_of(refusal: Refusal, *, id: ClientId | UnsetType = UNSET, session: SessionId | UnsetType = UNSET) -> Error:
    """Returns the refusal as an `error` frame."""
    return Error(
        code=refusal.code,
        message=refusal.message,
        retry=refusal.retry,
        id=id,
        session=session,
        retry_after_ms=UNSET if refusal.retry_after_ms is None else refusal.retry_after_ms,
        fields=refusal.fields or UNSET,
    )


def encode(frame: ServerFrame) -> str:
    """Returns the frame as the text of one WebSocket message."""
    return _ENCODER.encode(frame).decode()
