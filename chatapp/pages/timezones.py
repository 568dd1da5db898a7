"""The reader's time zone, which the script of the page writes to a cookie. Pages show days and times in it."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

COOKIE = "timezone"


class TimeZoneMiddleware:
    """Activates the time zone of the cookie. TIME_ZONE stays active if there is none or it is unknown."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            zone = ZoneInfo(request.COOKIES[COOKIE])
        except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
            return self._get_response(request)
        with timezone.override(zone):
            return self._get_response(request)
