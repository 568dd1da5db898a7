"""What of a typed text is sent: the same as in the browser."""

import json
from pathlib import Path

import pytest

from chatapp.pages.typed_text import clean

CASES: list[dict[str, str]] = json.loads((Path(__file__).parents[1] / "fixtures/sent_texts.json").read_bytes())


@pytest.mark.parametrize("case", CASES, ids=lambda case: repr(case["typed"]))
def test_only_blank_lines_around_a_text_are_not_sent(case: dict[str, str]) -> None:
    assert clean(case["typed"]) == case["sent"]


def test_a_form_has_the_line_breaks_of_messages() -> None:
    assert clean("\r\n  a\r\nb\r\n") == "  a\nb"
