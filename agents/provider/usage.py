"""How much a request has used: what the provider counted, or else a guess."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import UNSET
from pydantic_ai.messages import ModelMessage, ModelRequest
from pydantic_ai.models import Model
from pydantic_ai.usage import RequestUsage

from agents.provider import prices
from sessions_core.protocol.events import Usage

CODE_POINTS_PER_TOKEN: Final = 4  # of English


def counted(model: Model, usage: RequestUsage) -> Usage | None:
    """Returns what the provider says that one request has used; None where it said nothing."""
    if not usage.output_tokens:
        return None
    return Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        requests=1,
        cached=usage.cache_read_tokens or UNSET,
        cost_usd=UNSET if (cost := prices.cost_usd(model, usage)) is None else cost,
    )


def estimate(messages: Sequence[ModelMessage], *, written: int) -> Usage:
    """Returns a guess for one request: it was given the messages, and has written so many code points."""
    given = sum(map(len, _texts(messages)))
    return Usage(
        input_tokens=given // CODE_POINTS_PER_TOKEN,
        output_tokens=written // CODE_POINTS_PER_TOKEN,
        estimated=True,
        requests=1,
    )


def _texts(messages: Sequence[ModelMessage]) -> Iterator[str]:
    for message in messages:
        if isinstance(message, ModelRequest) and message is messages[-1]:
            yield message.instructions or ""
        for part in message.parts:
            yield str(getattr(part, "content", "") or "")
            yield str(getattr(part, "args", "") or "")
