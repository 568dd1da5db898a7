"""The messages that the channel layer carries, and the groups they are sent to."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, runtime_checkable
from uuid import UUID

from channels.layers import ChannelLayerManager

from sessions_core.machines.feed import Span
from sessions_core.protocol.ids import RunId, SessionId, UserId

Message = Mapping[str, Any]

HINT_BODY_BYTES: Final = 64 * 1024  # a larger span is announced without its Events, and readers take them from the log
WEB: Final = "web"  # the group of all web processes
WORKERS: Final = "workers"  # the group of all workers


class Layer(Protocol):
    """The methods of a channel layer that are used here."""

    async def new_channel(self) -> str: ...
    async def receive(self, channel: str) -> Message: ...
    async def group_add(self, group: str, channel: str) -> None: ...
    async def group_discard(self, group: str, channel: str) -> None: ...
    async def group_send(self, group: str, message: Message) -> None: ...
    async def flush(self) -> None: ...


@runtime_checkable
class SendsMany(Protocol):
    """A channel layer that sends many messages in one round trip, as `hints.layer.PubSubLayer` does."""

    async def group_send_all(self, messages: Sequence[tuple[str, Message]]) -> None: ...


async def send(layer: Layer, pending: Sequence[tuple[str, Message]]) -> None:
    """Sends each message to its group, in order."""
    if isinstance(layer, SendsMany):
        await layer.group_send_all(pending)
    else:
        for group, message in pending:
            await layer.group_send(group, message)


@runtime_checkable
class JoinsMany(Protocol):
    """A channel layer that joins and leaves many groups at once, as `hints.layer.PubSubLayer` does."""

    async def group_add_all(self, groups: Sequence[str], channel: str) -> None: ...
    async def group_discard_all(self, groups: Sequence[str], channel: str) -> None: ...


async def join(layer: Layer, groups: Sequence[str], channel: str) -> None:
    """Adds the channel to each group."""
    if isinstance(layer, JoinsMany):
        await layer.group_add_all(groups, channel)
    else:
        for group in groups:
            await layer.group_add(group, channel)


async def leave(layer: Layer, groups: Sequence[str], channel: str) -> None:
    """Removes the channel from each group."""
    if isinstance(layer, JoinsMany):
        await layer.group_discard_all(groups, channel)
    else:
        for group in groups:
            await layer.group_discard(group, channel)


def new_layer() -> Layer:
    """Returns a channel layer with connections of its own. One that hangs on a dead connection can only be replaced."""
    layer: Layer = ChannelLayerManager().make_backend("default")
    return layer


def group(session: SessionId) -> str:
    """Returns the group of all processes that follow the Session."""
    return f"session.{session}"


def hint(span: Span) -> Message:
    """Says that a log has grown. `body` holds the encoded Events, or None when they are larger than HINT_BODY_BYTES."""
    return {
        "type": "hint",
        "session": str(span.session),
        "epoch": span.epoch,
        "start": span.start,
        "end": span.end,
        "body": span.body if len(span.body) <= HINT_BODY_BYTES else None,
    }


def cancel(runs: Sequence[RunId]) -> Message:
    """Says that the Runs are to be stopped."""
    return {"type": "cancel", "runs": [str(run) for run in runs]}


def steer(run: RunId) -> Message:
    """Says that somebody has written to the Run while it works."""
    return {"type": "steer", "runs": [str(run)]}


def access(user: UserId, session: SessionId | None) -> Message:
    """Says that the user's rights have changed: in one Session, or, for None, those to be connected at all."""
    return {"type": "access", "user": user, "session": None if session is None else str(session)}


def named_runs(message: Message) -> set[RunId]:
    """Returns the Runs that a `cancel` or a `steer` message names."""
    return {RunId(UUID(run)) for run in message["runs"]}
