"""Text that the log can hold: PostgreSQL's JSON takes neither NUL nor a lone surrogate, which is half of a UTF-16 pair.

The text of people is checked and refused with a sentence; the text of agents is repaired.
"""

from typing import Final

import regex

from sessions_core.protocol.errors import BadField, TooLarge

LONE_SURROGATE: Final = "holds half of a surrogate pair; send whole characters."

_UNFIT: Final = regex.compile("[\x00\ud800-\udfff]")
# As in static/js/core/texts.js; tests/fixtures/visible_texts.json holds both together.
_INVISIBLE: Final = regex.compile(r"[\p{White_Space}\p{Cc}\p{Default_Ignorable_Code_Point}\u2800\ufff9-\ufffb]*")
_GRAPHEME: Final = regex.compile(r"\X")
_LONGEST: Final = 64  # code points of a grapheme that is kept whole


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


def is_visible(text: str) -> bool:
    """Returns whether a person could see anything of the text."""
    return _INVISIBLE.fullmatch(text) is None


def shorten(text: str, limit: int) -> str:
    """Returns the text, or its beginning and an ellipsis: `limit` code points at most. What is one character to a person, such as
    an emoji of several code points, is kept whole or left out.
    """
    if len(text) <= limit:
        return text
    ends = (found.end() for found in _GRAPHEME.finditer(text, 0, limit + _LONGEST))
    cut = max((end for end in ends if end < limit), default=limit - 1)
    return text[:cut].rstrip() + "…"
