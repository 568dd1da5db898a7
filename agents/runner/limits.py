"""What a Run may spend: its agent's own Limits, and where those say nothing, the settings."""

from typing import Final, TypeVar

from django.conf import settings

from agents.sdk.limits import Limits
from agents.sdk.registry import Agent

MINUTE_S: Final = 60

N = TypeVar("N", int, float)


def of(agent: Agent | None) -> Limits:
    """Returns the Limits of a Run of this agent. A setting of 0 is no limit."""
    own = agent.limits if agent else Limits()
    return Limits(
        seconds=_first(own.seconds, settings.RUN_SECONDS),
        quiet_s=_first(own.quiet_s, settings.RUN_QUIET_SECONDS),
        steps=_first(own.steps, settings.RUN_STEPS),
        requests=_first(own.requests, settings.RUN_REQUESTS),
        tokens=_first(own.tokens, settings.RUN_TOKENS),
        cost_usd=_first(own.cost_usd, settings.RUN_COST_USD),
    )


def sentence(what: str, seconds: float) -> str:
    """Returns what people are told of an answer that took `what` too long."""
    time = f"{round(seconds / MINUTE_S)} min" if seconds >= MINUTE_S else f"{seconds:g} s"
    return f"The answer {what} {time} and was ended."


def _first(own: N | None, default: N) -> N | None:
    return own if own is not None else default or None
