"""The reader's time zone, which the page's script leaves in a cookie: days and times are the reader's, not the server's."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

COOKIE = "timezone"


class TimeZoneMiddleware:
    """Activates the zone that the cookie names; without one, or with an unknown one, the setting's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            zone = ZoneInfo(request.COOKIES[COOKIE])
        except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
            return self._get_response(request)
        with timezone.override(zone):
            return self._get_response(request)
