"""Text that the log can hold: PostgreSQL's JSON takes neither NUL nor a lone surrogate, which is half of a UTF-16 pair.

The text of people is checked and refused with a sentence; the text of agents is repaired.
"""

import re
from typing import Final

from sessions_core.protocol.errors import BadField, TooLarge

LONE_SURROGATE: Final = "holds half of a surrogate pair; send whole characters."

_UNFIT: Final = re.compile("[\x00\ud800-\udfff]")


def is_fit(text: str) -> bool:
    """Returns whether the log can hold the text."""
    return _UNFIT.search(text) is None


def check(text: str, *, what: str, limit: int) -> str:
    """Returns the text. Raises BadField for what the log cannot hold, TooLarge above `limit` code points; `what` begins the
    sentence.
    """
    if "\x00" in text:
        raise BadField(f"{what} holds a NUL character, which cannot be kept.")
    if not is_fit(text):
        raise BadField(f"{what} {LONE_SURROGATE}")
    if len(text) > limit:
        raise TooLarge(f"{what} has {len(text):,} characters; at most {limit:,} are possible.")
    return text


def repair(text: str) -> str:
    """Returns the text with U+FFFD in the place of each character that the log cannot hold."""
    return _UNFIT.sub("\ufffd", text)


def shorten(text: str, limit: int) -> str:
    """Returns the text, or its beginning and an ellipsis: `limit` code points at most."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
