from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from sessions_core.protocol.ids import MessageId


class PromptMessage(Struct, frozen=True):
    """One message of the conversation as a model is shown it: its text in Markdown, without reasoning."""

    role: Literal["user", "assistant"]
    text: str
    message: MessageId


class Prompt(list[PromptMessage]):
    """The conversation for a model, oldest first; the message to answer is the last one.

    `cut`: the conversation is longer, and what is before the first message here was left out.
    """

    def __init__(self, messages: Iterable[PromptMessage] = (), *, cut: bool = False) -> None:
        super().__init__(messages)
        self.cut = cut
