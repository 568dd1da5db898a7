"""The text of a form, as it is sent. static/js/core/texts.js has the same rule; tests/fixtures/sent_texts.json holds both."""

from typing import Final

# What JavaScript's `trim` takes for a space; Python's `strip` differs from it by six characters.
_SPACES: Final = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)


def clean(text: str) -> str:
    """Returns the text without the blank lines before and after it. The first line keeps its indent: it may be code.

    Browsers send line breaks as CR LF; Messages have LF alone.
    """
    text = text.replace("\r\n", "\n")
    begin = len(text) - len(text.lstrip(_SPACES))
    if begin == len(text):
        return ""
    end = text.find("\n", len(text.rstrip(_SPACES)))
    return text[text.rfind("\n", 0, begin) + 1 : end if end >= 0 else None]
