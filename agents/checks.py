"""The agents among Django's system checks: `manage.py check` tells what is wrong with a new file before anybody starts it."""

from collections.abc import Sequence

from django.core.checks import CheckMessage, Error, register

from agents.sdk.registry import problems


@register("agents")
def check_agents(**_: object) -> Sequence[CheckMessage]:
    """Returns an error for each file of the catalogue, and each name, that cannot be used: agents.E001 to E003."""
    return [Error(problem.sentence, id=f"agents.{problem.code}") for problem in problems()]
