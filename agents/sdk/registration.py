"""What an agent may be registered as: names, titles and functions that the log, the queues and the pages can all hold."""

import inspect
import re
import unicodedata
from typing import Final

import msgspec

from agents.sdk.limits import Limits

NAME_CHARACTERS: Final = 64  # as the columns have
TITLE_CHARACTERS: Final = 150  # as the column of an Event's actor has
DESCRIPTION_CHARACTERS: Final = 500
MAX_VERSION: Final = 2**31 - 1  # as the column has

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*")
_UNFIT: Final = {"Cc", "Cs", "Zl", "Zp"}  # Unicode's categories of control characters, half characters and line breaks


class BadAgent(Exception):  # noqa: N818  # read as the sentence it is
    """An agent cannot be registered as it is written. The sentence says what is wrong."""


def check(name: str, title: str, description: str, function: object) -> None:
    """Raises BadAgent when the registration is not possible."""
    check_text("The name of an agent", name, NAME_CHARACTERS)
    if not _NAME.fullmatch(name):
        raise BadAgent(
            f"An agent cannot be called “{name}”: a name begins with a letter, and has small letters, digits, - and _ only."
        )
    check_text(f"The title of the agent “{name}”", title, TITLE_CHARACTERS)
    if not title.strip():
        raise BadAgent(f"The agent “{name}” has no title: people choose it by that.")
    check_text(f"The description of the agent “{name}”", description, DESCRIPTION_CHARACTERS)
    if not inspect.iscoroutinefunction(function):
        raise BadAgent(f"The function of the agent “{name}” is not `async def`: it would block all other agents.")


def check_limits(name: str, limits: Limits) -> None:
    """Raises BadAgent when a Run could not even begin under the limits."""
    for limit, value in msgspec.structs.asdict(limits).items():
        if value is not None and value <= 0:
            raise BadAgent(f"The limit `{limit}` of the agent “{name}” is {value}: with that it could do nothing.")


def check_version(name: str, version: object) -> None:
    """Raises BadAgent when it is no number that can be raised."""
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= MAX_VERSION:
        raise BadAgent(f"The version of the agent “{name}” is {version!r}: it has to be a whole number from 1 on.")


def check_text(what: str, text: object, limit: int) -> None:
    """Raises BadAgent when the log or a page cannot hold the text; `what` begins the sentence."""
    if not isinstance(text, str):
        raise BadAgent(f"{what} is not a text but {text!r}.")
    if len(text) > limit:
        raise BadAgent(f"{what} has {len(text)} characters; at most {limit} are possible.")
    if any(unicodedata.category(character) in _UNFIT for character in text):
        raise BadAgent(f"{what} holds a line break or another character that cannot be shown: {text!r}.")
