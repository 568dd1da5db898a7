"""Refusals of forms, as sentences for people."""

from collections.abc import Callable

from sessions_core.protocol.errors import NotFound, Refusal


def refusal_of(act: Callable[[], object]) -> str:
    """Calls `act` and returns the sentence of its Refusal, or an empty string. Lets NotFound through, for the 404 page."""
    try:
        act()
    except NotFound:
        raise
    except Refusal as refusal:
        return refusal.message
    return ""
