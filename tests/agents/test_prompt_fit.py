"""A prompt within a budget of tokens: what is cut, and that the next prompts begin as the one before. Without a database."""

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.sdk.prompt import Cut, Prompt, PromptMessage, fit, several_write, tokens_of, with_names
from sessions_core.protocol.ids import MessageId
from tests.support.random_input import many

Role = Literal["user", "assistant"]
EACH = 10  # tokens of a message of `talk`


def message(n: int, role: Role, text: str, author: str = "Alice") -> PromptMessage:
    return PromptMessage(role=role, text=text, message=MessageId(UUID(int=n)), author=author)


def talk(exchanges: int) -> list[PromptMessage]:
    """Questions and their answers, and one more question."""
    roles: list[Role] = ["user", "assistant"]
    return [message(n, roles[n % 2], "x" * 24) for n in range(2 * exchanges + 1)]


def test_what_fits_is_whole() -> None:
    assert fit(talk(4), 9 * EACH) == 0


def test_what_does_not_fit_is_cut_to_half_the_budget_before_a_question() -> None:
    assert (
        fit(talk(5), 10 * EACH) == 6
    )  # 11 messages were one too many: 5 are left, and the first of them is a question


def test_a_cut_stays_until_the_budget_is_full_again() -> None:
    starts = [fit(talk(exchanges), 10 * EACH) for exchanges in range(20)]

    assert starts[:8] == [0] * 5 + [6] * 3
    assert len(set(starts)) < len(starts) / 2


def test_the_message_to_answer_is_there_in_any_case() -> None:
    conversation = [*talk(2), message(9, "assistant", "ok"), message(10, "user", "x" * 1000)]

    assert fit(conversation, 20) == len(conversation) - 1


@given(
    lengths=st.lists(st.integers(0, 400), min_size=1, max_size=60),
    answered=st.lists(st.booleans(), min_size=60, max_size=60),
    budget=st.integers(1, 300),
)
@settings(max_examples=many(100), deadline=None)
def test_each_prompt_fits_and_begins_with_a_question(lengths: list[int], answered: list[bool], budget: int) -> None:
    conversation: list[PromptMessage] = []
    for n, length in enumerate(lengths):
        conversation.append(message(2 * n, "user", "x" * length))
        shown = conversation[fit(conversation, budget) :]
        assert shown[0].role == "user"
        assert len(shown) == 1 or sum(tokens_of(each.text) + 4 for each in shown) <= budget
        if answered[n]:
            conversation.append(message(2 * n + 1, "assistant", "y" * length))


def test_tokens_are_counted_in_every_language() -> None:
    assert [tokens_of(text) for text in ("hello, world", "привет, мир!", "你好世界你好世界")] == [3, 5, 6]


def test_names_are_shown_where_several_people_write() -> None:
    alone = [message(1, "user", "hello"), message(2, "assistant", "Hi.", "Assistant")]
    both = [*alone, message(3, "user", "me too", "Bob")]

    assert [several_write(alone), several_write(both)] == [False, True]
    assert [each.text for each in with_names(both)] == ["Alice: hello", "Hi.", "Bob: me too"]


@pytest.mark.parametrize(
    ("summary", "said"), [("", " are left out.)"), ("They met.", " are left out. A summary of them: They met.)")]
)
def test_a_cut_is_said_to_the_model_in_one_sentence(summary: str, said: str) -> None:
    first = message(1, "user", "hello")
    cut = Cut(first.message, datetime(2026, 11, 20, 14, 2, 30, tzinfo=UTC), summary)

    sentence = f"(Earlier messages of this conversation, from before 2026-11-20 14:02 UTC,{said}"

    prompt = Prompt([first], cut=cut)

    assert [(each.role, each.text) for each in prompt] == [("user", sentence), ("user", "hello")]
    assert prompt[0].message is None
