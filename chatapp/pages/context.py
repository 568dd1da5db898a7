"""The variables that every template has."""

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest

from chatapp.pages.strings import IDEAS, STRINGS

THEMES: Final = ("light", "dark")
THEME_COOKIE: Final = "theme"  # a cookie, so that the server renders the theme and nothing flickers


def page(request: HttpRequest) -> dict[str, Any]:
    return {
        "theme": chosen_theme(request),
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "sign_up_open": settings.SIGN_UP,
        "strings": STRINGS,
        "ideas": IDEAS,
    }


def chosen_theme(request: HttpRequest) -> str:
    """Returns the theme of the cookie, or an empty string: then the browser's own applies."""
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return theme if theme in THEMES else ""
