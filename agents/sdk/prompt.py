"""The conversation as a model is shown it: with the names of its writers, and within a budget of tokens."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from msgspec import Struct, structs

from sessions_core.protocol.ids import MessageId

BYTES_PER_TOKEN: Final = 4  # of UTF-8: English has about so many, and languages with other letters need more tokens
MESSAGE_TOKENS: Final = 4  # around each message


class PromptMessage(Struct, frozen=True):
    """One message of the conversation: its text in Markdown, without reasoning; who wrote it, and when it was sent. A note about
    what is left out has no `message`, and nobody has written it.
    """

    role: Literal["user", "assistant"]
    text: str
    message: MessageId | None
    author: str = ""
    at: datetime | None = None


Summarise = Callable[[Sequence[PromptMessage]], Awaitable[str]]


class Cut(Struct, frozen=True):
    """Where a prompt was cut: it leaves out all that stands before the message `first`, which was sent at `at`. `summary`: of
    what is left out.
    """

    first: MessageId | None
    at: datetime | None
    summary: str = ""

    @property
    def note(self) -> PromptMessage:
        """What the model is told. It stays the same as long as the cut does, so that prefix caches hit."""
        before = f", from before {self.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC," if self.at else ""
        summary = f" A summary of them: {self.summary}" if self.summary else ""
        text = f"(Earlier messages of this conversation{before} are left out.{summary})"
        return PromptMessage(role="user", text=text, message=None)


class Prompt(list[PromptMessage]):
    """The conversation for a model, oldest first; the message to answer is the last one.

    `cut`: None when it is whole; else what was left out. Then the first of the list is a note that says so. `names`: the messages
    of people begin with their names.
    """

    def __init__(self, messages: Iterable[PromptMessage] = (), *, cut: Cut | None = None, names: bool = False) -> None:
        super().__init__([cut.note, *messages] if cut else messages)
        self.cut = cut
        self.names = names


def tokens_of(text: str) -> int:
    """Returns a guess, which suits no model exactly: each counts in its own way."""
    return len(text.encode()) // BYTES_PER_TOKEN


def several_write(messages: Sequence[PromptMessage]) -> bool:
    return len({message.author for message in messages if message.role == "user"}) > 1


def with_names(messages: Sequence[PromptMessage]) -> list[PromptMessage]:
    """Puts before each message of a person who wrote it: “Alice: hello”."""
    return [
        structs.replace(message, text=named(message.author, message.text)) if message.role == "user" else message
        for message in messages
    ]


def named(author: str, text: str) -> str:
    return f"{author}: {text}"


def fit(messages: Sequence[PromptMessage], budget: int) -> int:
    """Returns the index of the first message to show, so that what is shown has at most `budget` tokens. The last one is shown
    in any case. A cut stands before a message of a person.

    Goes through the conversation as it grew. When it would have been too long, it was cut to half the budget, and that cut stays
    until it is too long again: so most prompts begin as the one before did, and prefix caches hit.
    """
    start = used = 0
    for end, message in enumerate(messages):
        used += _tokens(message)
        if message.role == "user" and used > budget:
            while start < end and (used > budget // 2 or messages[start].role != "user"):
                used -= _tokens(messages[start])
                start += 1
    return start


def _tokens(message: PromptMessage) -> int:
    return tokens_of(message.text) + MESSAGE_TOKENS
