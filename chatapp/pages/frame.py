"""What surrounds the pages of a signed-in person: the list of Sessions, and who answers."""

from typing import Any

from django.conf import settings

from chatapp.pages.views import listing
from sessions_core.protocol.author import Author
from sessions_core.services.dispatch import AgentInfo, dispatcher


def context(author: Author, *, current: str = "") -> dict[str, Any]:
    """For templates that extend `app.html`; `current` is the id of the Session that is open."""
    return {
        **listing.context(author, current=current),
        "agents": dispatcher().agents(),
        "default_agent": agent(dispatcher().default()),
        "model": settings.CHAT_MODEL,
    }


def agent(name: str) -> AgentInfo:
    """The agent, or one without a description where it is not on offer any more."""
    known = {info.name: info for info in dispatcher().agents()}
    return known.get(name) or AgentInfo(name=name, title=name.capitalize(), description="")
