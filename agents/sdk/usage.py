"""The sum of what models have used."""

from msgspec import UNSET, UnsetType

from sessions_core.protocol.events import Usage


def add(one: Usage, other: Usage) -> Usage:
    """Returns the sum. Its cost is known where both are, and it is an estimate where one of them is."""
    cost = UNSET if one.cost_usd is UNSET or other.cost_usd is UNSET else one.cost_usd + other.cost_usd
    return Usage(
        input_tokens=one.input_tokens + other.input_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
        estimated=one.estimated or other.estimated,
        requests=_sum(one.requests, other.requests),
        cached=_sum(one.cached, other.cached),
        cost_usd=cost,
    )


def _sum(one: int | UnsetType, other: int | UnsetType) -> int | UnsetType:
    return ((one or 0) + (other or 0)) or UNSET
