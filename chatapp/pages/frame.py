"""The frame around every page of a signed-in person: the list of Sessions, the agents and the model."""

from typing import Any

from django.conf import settings

from chatapp.pages import session_list
from sessions_core.protocol.author import Author
from sessions_core.services.dispatch import AgentInfo, dispatcher


def context(author: Author, *, current: str = "") -> dict[str, Any]:
    """Returns the variables of templates that extend `app.html`. `current` is the id of the open Session."""
    return {
        **session_list.context(author, current=current),
        "agents": dispatcher().agents(),
        "default_agent": agent(dispatcher().default()),
        "model": settings.CHAT_MODEL,
    }


def agent(name: str) -> AgentInfo:
    """Returns the agent of that name, or one without a description if the name is not registered any more."""
    known = {info.name: info for info in dispatcher().agents()}
    return known.get(name) or AgentInfo(name=name, title=name.capitalize(), description="")
