"""What is copied: the words of people and agents, as they were written."""

from typing import Final

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PageOf
from tests.e2e.people import Person
from tests.e2e.screen import Screen

ANSWER: Final = r"Use **this**:\n\n```python\nx = 8\ny = 9\n```\n\nand `that`.\n"


@pytest.fixture
def answered(page_of: PageOf, alice: Person) -> Screen:
    """A tab with an answer that has code in it, and leave to read the clipboard."""
    laptop = page_of(alice, permissions=["clipboard-read", "clipboard-write"])
    laptop.open(alice.session("Title", agent="assistant"))
    laptop.send(f'{{"words": 1, "raw": "{ANSWER}"}}'.replace("\\", "\\\\"))
    expect(laptop.answer).to_have_attribute("data-state", "complete")
    return laptop


def test_an_answer_is_copied_as_it_was_written(answered: Screen) -> None:
    answered.answer.hover()
    answered.answer.get_by_role("button", name="Copy answer as Markdown").click()
    answered.see_for_a_moment("Copied")

    assert _clipboard(answered) == "Use **this**:\n\n```python\nx = 8\ny = 9\n```\n\nand `that`."


def test_copied_code_does_not_end_in_a_line_break_that_would_run_it(answered: Screen) -> None:
    answered.text.get_by_role("button", name="Copy", exact=True).click()
    answered.see_for_a_moment("Copied")

    assert _clipboard(answered) == "x = 8\ny = 9"


def test_code_that_is_selected_and_copied_does_not_either(answered: Screen) -> None:
    expect(answered.text.locator("pre span").first).to_be_attached()  # coloured: nothing changes any more

    answered.text.locator("pre").click(click_count=3)
    assert _copied(answered) in {"x = 8", "y = 9"}
    answered.page.evaluate("getSelection().selectAllChildren(document.querySelector('.agent-message pre'))")
    assert _copied(answered) == "x = 8\ny = 9"


def test_all_that_is_selected_is_copied_without_the_words_on_buttons(answered: Screen) -> None:
    answered.log.focus()
    answered.press("Control+a")
    lines = _copied(answered).splitlines()

    assert {"Use this:", "x = 8", "y = 9", "and that."} <= set(lines)
    assert not {"python", "Copy", "Reasoning", "Stop", "Try again"} & {line.strip() for line in lines}


def _copied(screen: Screen) -> str:
    screen.press("Control+c")
    return _clipboard(screen)


def _clipboard(screen: Screen) -> str:
    return str(screen.page.evaluate("navigator.clipboard.readText()"))
