"""What of a text people see, and where it can be cut."""

import json
from pathlib import Path
from typing import Any

import pytest

from sessions_core.protocol import text

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
VISIBLE = json.loads((FIXTURES / "visible_texts.json").read_text())


@pytest.mark.parametrize("case", VISIBLE, ids=[case["why"] for case in VISIBLE])
def test_a_text_is_visible_here_as_it_is_in_the_browser(case: dict[str, Any]) -> None:
    assert text.is_visible(case["text"]) is case["visible"]


@pytest.mark.parametrize(
    ("given", "limit", "shown"),
    [
        ("short", 5, "short"),
        ("some words", 6, "some…"),
        ("abc👩‍💻d", 5, "abc…"),  # a woman, a joiner, a laptop
        ("ab🇩🇪🇫🇷", 4, "ab…"),  # two flags of two letters each
        ("e\u0301e\u0301e\u0301", 4, "e\u0301…"),
        ("a" + "\u0301" * 200, 10, "a" + "\u0301" * 8 + "…"),  # one character of 201 code points
    ],
)
def test_a_text_is_cut_between_what_people_call_characters(given: str, limit: int, shown: str) -> None:
    assert text.shorten(given, limit) == shown
    assert len(shown) <= limit
