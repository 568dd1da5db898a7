"""How an answer has ended: whole, or cut by a limit, by a filter, or refused. Providers say it in many words."""

from typing import Final

from pydantic_ai.models import StreamedResponse

from agents.sdk import AgentFailed, Message

# Finish reasons that pydantic-ai does not know, because they are not OpenAI's. In small letters.
_TRUNCATED: Final = frozenset({"max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded"})
_FILTERED: Final = frozenset({"safety", "recitation", "blocklist", "prohibited_content", "spii", "sensitive"})


async def note(stream: StreamedResponse, message: Message, *, was_silent: bool) -> None:
    """Notes in `message.ended` why the answer is not whole, and appends the words of a refusal.

    Raises AgentFailed when the provider says that it failed, and when the model ended without an answer (`was_silent`).
    """
    details = stream.provider_details or {}
    reason = str(details.get("finish_reason") or "").lower()
    if refusal := details.get("refusal"):
        await message.append(f"\n\n{refusal}" if message.text else str(refusal))
    if refusal or reason == "refusal":
        message.ended = "refused"
    elif stream.finish_reason == "length" or reason in _TRUNCATED:
        message.ended = "truncated"
    elif stream.finish_reason == "content_filter" or reason in _FILTERED:
        message.ended = "filtered"
    elif stream.finish_reason == "error" or reason == "error":
        raise AgentFailed("model_error", "The model's provider had a fault of its own. Try again.", retry=True)
    elif was_silent:
        raise AgentFailed("model_silent", "The model ended without an answer. Try again.", retry=True)
