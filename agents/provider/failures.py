"""The errors of models as sentences for people. They never quote the provider's own words: those may hold the key."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pydantic_ai.exceptions import (
    AgentRunError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelRequestTimeout,
    ModelServerError,
    ModelTimeoutError,
    ModelUnavailableError,
    UserError,
)

from agents.sdk import AgentFailed

# Error, code, sentence, and `retry`. The first row that fits counts, so subclasses come before their base classes.
_SENTENCES: Final[tuple[tuple[type[AgentRunError], str, str, bool], ...]] = (
    (
        ModelAuthenticationError,
        "model_key_refused",
        "The model's provider does not accept the key. Whoever runs this server has to look at CHAT_MODEL_KEY.",
        False,
    ),
    (
        ModelNotFoundError,
        "model_unknown",
        "The provider knows no such model. Whoever runs this server has to look at CHAT_MODEL and CHAT_MODEL_URL.",
        False,
    ),
    (
        ModelContextWindowExceededError,
        "model_too_long",
        "The conversation has grown longer than this model can read. Begin a new one.",
        False,
    ),
    (ModelRequestRejectedError, "model_refused", "The model's provider refused the request.", False),
    (ModelQuotaExceededError, "model_no_credit", "The credit with the model's provider is used up.", True),
    (ModelRateLimitError, "model_rate_limited", "The model gets too many questions. Try again in a moment.", True),
    (ModelUnavailableError, "model_overloaded", "The model is overloaded. Try again in a moment.", True),
    (ModelServerError, "model_error", "The model's provider had a fault of its own. Try again.", True),
    (ModelRequestTimeout, "model_timeout", "The model did not answer in time. Try again.", True),
    (ModelTimeoutError, "model_timeout", "The model did not answer in time. Try again.", True),
    (ModelConnectionError, "model_cut", "The connection to the model broke off in mid-answer. Try again.", True),
    (ModelAPIError, "model_cut", "The model's answer ended before it was whole. Try again.", True),
    (AgentRunError, "model_error", "The model answered with something that cannot be read. Try again.", True),
)


logger = logging.getLogger(__name__)


@contextmanager
def for_people() -> Iterator[None]:
    """Raises AgentFailed for what pydantic-ai raises."""
    try:
        yield
    except UserError as error:
        raise from_settings(error) from error
    except AgentRunError as error:
        failed = from_provider(error)
        logger.warning("The model failed: %s (%s)", failed.code, type(error).__name__)
        raise failed from error


def from_provider(error: AgentRunError) -> AgentFailed:
    """Returns the failure for an error of the provider, or of the connection to it."""
    if isinstance(error, ModelConnectionError) and error.phase in {"connect", "pool"}:
        return AgentFailed("model_unreachable", "The model cannot be reached. Try again in a moment.", retry=True)
    if isinstance(error, ModelRateLimitError) and error.retry_after:
        when = f"Try again in {error.retry_after:.0f} s."
        return AgentFailed("model_rate_limited", f"The model gets too many questions. {when}", retry=True)
    code, sentence, retry = next(row[1:] for row in _SENTENCES if isinstance(error, row[0]))
    return AgentFailed(code, sentence, retry=retry)


def from_settings(error: UserError) -> AgentFailed:
    """Returns the failure for a model that cannot be called at all, because of how it is set."""
    if "api_key" in str(error).lower():
        return AgentFailed(
            "model_no_key", "The model needs a key, and none is set. Set CHAT_MODEL_KEY and start again."
        )
    return AgentFailed("model_unknown", f"CHAT_MODEL names no model that can be used here: {error}")
