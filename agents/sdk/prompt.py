from typing import Literal

from msgspec import Struct

from sessions_core.protocol.ids import MessageId


class PromptMessage(Struct, frozen=True):
    """One message of the conversation as a model is shown it: its text in Markdown, without reasoning."""

    role: Literal["user", "assistant"]
    text: str
    message: MessageId
