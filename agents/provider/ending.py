"""How an answer has ended: whole, or cut by a limit, by a filter, or refused. Providers say it in many words."""

from typing import Final

from pydantic_ai.models import StreamedResponse

from agents.sdk import AgentFailed
from sessions_core.protocol.events import Ended

# Finish reasons that pydantic-ai does not know, because they are not OpenAI's. In small letters.
_TRUNCATED: Final = frozenset({"max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded"})
_FILTERED: Final = frozenset({"safety", "recitation", "blocklist", "prohibited_content", "spii", "sensitive"})


def refusal(stream: StreamedResponse) -> str:
    """Returns the words of a refusal that stand beside the answer; empty where there are none."""
    return str((stream.provider_details or {}).get("refusal") or "")


def of(stream: StreamedResponse) -> Ended | None:
    """Returns why the answer is not whole, or None. Raises AgentFailed when the provider says that it failed."""
    reason = str((stream.provider_details or {}).get("finish_reason") or "").lower()
    if refusal(stream) or reason == "refusal":
        return "refused"
    if stream.finish_reason == "length" or reason in _TRUNCATED:
        return "truncated"
    if stream.finish_reason == "content_filter" or reason in _FILTERED:
        return "filtered"
    if stream.finish_reason == "error" or reason == "error":
        raise AgentFailed("model_error", "The model's provider had a fault of its own. Try again.", retry=True)
    return None


def silent() -> AgentFailed:
    """Returns the failure for an answer without a word."""
    return AgentFailed("model_silent", "The model ended without an answer. Try again.", retry=True)
