"""What a request to a model costs, by the price list of `genai-prices`. Importing this takes more than a second, like `chat`."""

from contextlib import suppress

from django.conf import settings
from genai_prices import calc_price
from pydantic_ai.exceptions import UserError
from pydantic_ai.models import Model
from pydantic_ai.usage import RequestUsage

from agents.provider import chat


def cost_usd(model: Model, usage: RequestUsage) -> float | None:
    """Returns the price of a request in US dollars, or None where it is not known. A gateway's own figure goes first."""
    if usage.cost is not None:
        return float(usage.cost)
    with suppress(LookupError):  # an address says more than a name: several providers sell the same models
        return float(calc_price(usage, model.model_name, provider_api_url=_address(model)).total_price)
    with suppress(LookupError):
        return float(calc_price(usage, model.model_name, provider_id=model.system).total_price)
    return None


def is_known() -> bool:
    """Returns whether the price of CHAT_MODEL is known; true where none is set, because nothing is bought then."""
    if not settings.CHAT_MODEL:
        return True
    try:
        model = chat.model()
    except UserError:  # the first request says what is wrong
        return True
    return cost_usd(model, RequestUsage(input_tokens=1, output_tokens=1)) is not None


def _address(model: Model) -> str:
    with suppress(AttributeError, UserError):  # not every provider has one
        return model.base_url or ""
    return ""
