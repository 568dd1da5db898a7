"""What a strict chat template takes: roles alternate, and each tool call has exactly one result."""

import msgspec


def answers_since_asked(prompt: list[dict[str, object]]) -> list[dict[str, object]]:
    """Returns the answers since the last message of a user."""
    roles = [message["role"] for message in prompt]
    asked = max((n for n, role in enumerate(roles) if role == "user"), default=0)
    return [message for message in prompt[asked:] if message["role"] == "assistant"]


def fault(prompt: list[dict[str, object]]) -> str | None:
    """Returns what is wrong with the prompt for a strict chat template, or None."""
    allowed, open_calls = {"user"}, set[str]()
    for message in prompt:
        role = str(message["role"])
        if role == "system":
            continue
        if role not in allowed:
            return f"Conversation roles must alternate user/assistant/...: {role} came, and not {' or '.join(allowed)}."
        if role == "tool":
            if (call := str(message["tool_call_id"])) not in open_calls:
                return f"There is no call {call} without a result."
            open_calls.discard(call)
        elif role == "assistant":
            calls = msgspec.convert(message.get("tool_calls") or [], list[dict[str, object]])
            open_calls = {str(call["id"]) for call in calls}
            if len(open_calls) < len(calls):
                return "Two calls have one id."
        allowed = {"tool"} if open_calls else {"user"} if role == "assistant" else {"assistant"}
    return (
        None if allowed == {"assistant"} else "The conversation ends with an answer, or with a call without a result."
    )
