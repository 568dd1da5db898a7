"""Texts that are as long as a limit in code points allows, in scripts and JSON escapes of every size."""

import json
from typing import Final

CHARACTERS: Final = {
    "ascii": "x",
    "two bytes": "é",
    "three bytes": "中",
    "four bytes": "😀",
    "an escape of two": '"',
}


def of_length(character: str, length: int) -> str:
    """Returns so many code points, the last of them a letter: nobody could see a text of control characters."""
    return character * (length - 1) + "x"


def as_json(text: str, *, escaped: bool) -> str:
    """Returns the text as a JSON string; `escaped`: each character beyond ASCII as one \\uXXXX or two of them."""
    return json.dumps(text, ensure_ascii=escaped)
