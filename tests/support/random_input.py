"""How many examples of random input a test plays. `make test-more` plays ten times as many as `make test`: it has Hypothesis
load the profile MORE, and chooses the tests by the mark that Hypothesis gives them, `hypothesis`.
"""

from typing import Final

from hypothesis import settings

MORE: Final = "more"
_USUAL: Final = settings.get_profile("default").max_examples


def register() -> None:
    """Registers the profile, which has to be there before pytest reads its options."""
    settings.register_profile(MORE, max_examples=10 * _USUAL)


def many(count: int) -> int:
    """Returns the `max_examples` of a test for which `count` are enough in `make test`."""
    return count * settings().max_examples // _USUAL
