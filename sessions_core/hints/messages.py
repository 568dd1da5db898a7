"""What the channel layer carries, and over which groups."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, runtime_checkable
from uuid import UUID

from channels.layers import ChannelLayerManager

from sessions_core.machines.feed import Span
from sessions_core.protocol.ids import RunId, SessionId, UserId

Message = Mapping[str, Any]

BODY_LIMIT: Final = 64 * 1024  # bytes; a larger span is told without its events, and readers take them from the log
WEB: Final = "web"  # every web process listens here
WORKERS: Final = "workers"  # every worker listens here


class Layer(Protocol):
    """What is used of a channel layer."""

    async def new_channel(self) -> str: ...
    async def receive(self, channel: str) -> Message: ...
    async def group_add(self, group: str, channel: str) -> None: ...
    async def group_discard(self, group: str, channel: str) -> None: ...
    async def group_send(self, group: str, message: Message) -> None: ...
    async def flush(self) -> None: ...


@runtime_checkable
class SendsMany(Protocol):
    """A channel layer that needs one round trip for many messages, as our own does."""

    async def group_send_all(self, messages: Sequence[tuple[str, Message]]) -> None: ...


async def send(layer: Layer, pending: Sequence[tuple[str, Message]]) -> None:
    """Sends each message to its group, in order."""
    if isinstance(layer, SendsMany):
        await layer.group_send_all(pending)
    else:
        for group, message in pending:
            await layer.group_send(group, message)


def new_layer() -> Layer:
    """A channel layer with connections of its own: the only way to be rid of one that hangs on a dead link."""
    layer: Layer = ChannelLayerManager().make_backend("default")
    return layer


def group(session: SessionId) -> str:
    """The group of all processes that follow a Session."""
    return f"session.{session}"


def hint(span: Span) -> Message:
    """That the log has grown, with the Events themselves when they are small."""
    return {
        "type": "hint",
        "session": str(span.session),
        "epoch": span.epoch,
        "start": span.start,
        "end": span.end,
        "body": span.body if len(span.body) <= BODY_LIMIT else None,
    }


def cancel(runs: Sequence[RunId]) -> Message:
    return {"type": "cancel", "runs": [str(run) for run in runs]}


def access(user: UserId, session: SessionId | None) -> Message:
    return {"type": "access", "user": user, "session": None if session is None else str(session)}


def cancelled(message: Message) -> set[RunId]:
    """The Runs that a `cancel` message names."""
    return {RunId(UUID(run)) for run in message["runs"]}
