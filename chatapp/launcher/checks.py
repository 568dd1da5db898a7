"""What `manage.py check` says about the environment."""

from django.core.checks import CheckMessage, Warning, register  # noqa: A004  # Django's name

from chatapp import env


@register
def names_of_settings(**_: object) -> list[CheckMessage]:
    """Warns of variables that are named nearly as a setting."""
    return [
        Warning(sentence, hint="docs/reference/settings.md has all names.", id="chatapp.W001")
        for sentence in env.misspelt()
    ]
