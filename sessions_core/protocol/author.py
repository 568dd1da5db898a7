"""Author: the person who asks for something, as the engine knows people."""

from uuid import UUID

from msgspec import Struct

from sessions_core.protocol.events import Actor
from sessions_core.protocol.ids import UserId


class Author(Struct, frozen=True):
    """A signed-in user and, where it is known, the Device that the user works on. `name` is shown to other people."""

    user: UserId
    name: str
    device: UUID | None = None

    @property
    def actor(self) -> Actor:
        """The user as the Actor of an Event."""
        return Actor(kind="user", id=str(self.user), name=self.name)

    @property
    def device_text(self) -> str | None:
        """The Device's id as text, as Events carry it."""
        return str(self.device) if self.device else None
