"""The model of CHAT_MODEL. Importing this takes more than a second, so only workers do it, before their first Run."""

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Final, cast

from django.conf import settings
from pydantic_ai.exceptions import UserError
from pydantic_ai.models import Model, infer_model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers import Provider, infer_provider_class
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from agents.provider.compatible import CompatibleModel

if TYPE_CHECKING:
    from openai import AsyncOpenAI

RETRIES: Final = 1  # by the provider's client, before the first token: meanwhile a person waits and sees nothing
NO_KEY: Final = "none"  # the client insists on a key, even where the endpoint needs none


def prepare() -> None:
    """Makes the model's client before the first answer needs it. Ignores wrong settings: the first answer says what is wrong."""
    with suppress(UserError):
        model()


@cache
def model() -> Model:
    """Returns the model with its HTTP client; one for each process. Raises UserError when the settings name none."""
    name, key, url = settings.CHAT_MODEL, settings.CHAT_MODEL_KEY, settings.CHAT_MODEL_URL
    if not url:
        found = infer_model(name, provider_factory=lambda provider: _provider(provider, key))
        if type(found) is OpenAIChatModel:  # a subclass knows its provider better
            return CompatibleModel(found.model_name, provider=cast("Provider[AsyncOpenAI]", found.provider))
        return found
    provider = OpenAICompatibleProvider("chat-model", base_url=url, api_key=key or NO_KEY)
    provider.client.max_retries = RETRIES
    return CompatibleModel(name, provider=provider)


def _provider(name: str, key: str) -> Provider[object]:
    try:
        provider_class = infer_provider_class(name)
    except (ImportError, ValueError) as error:  # its client library is not installed, or the name is unknown
        raise UserError(str(error)) from error
    provider = provider_class(**({"api_key": key} if key else {}))
    provider.client.max_retries = RETRIES
    return provider
