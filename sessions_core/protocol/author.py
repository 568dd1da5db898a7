"""Author: the user who acts. Free of Django, so that plain machines can use it; `services.access` makes one from a User."""

from uuid import UUID

from msgspec import Struct

from sessions_core.protocol.events import Actor
from sessions_core.protocol.ids import UserId


class Author(Struct, frozen=True):
    """A user and, if it is known, the Device that the user works on. `name` is shown to other people."""

    user: UserId
    name: str
    device: UUID | None = None

    @property
    def actor(self) -> Actor:
        """The Actor of the Events that this user causes."""
        return Actor(kind="user", id=str(self.user), name=self.name)

    @property
    def device_text(self) -> str | None:
        """The Device's id as Events carry it."""
        return str(self.device) if self.device else None
