"""What text the log can hold: jsonb refuses NUL and half surrogates, so they are refused at the edge with a sentence."""

from sessions_core.protocol.errors import BadField, TooLarge


def clean(text: str, *, what: str, limit: int) -> str:
    """The text, if it can be kept. Raises BadField for NUL and lone surrogates, TooLarge above `limit` code points."""
    if "\x00" in text:
        raise BadField(f"{what} holds a NUL character, which cannot be kept.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise BadField(f"{what} holds half of a surrogate pair; send whole characters.")
    if len(text) > limit:
        raise TooLarge(f"{what} has {len(text):,} characters; at most {limit:,} are possible.")
    return text
