"""Django middleware of the project."""

from collections.abc import Callable

from django.db import connections
from django.http import HttpRequest, HttpResponse


class ReturnConnection:
    """Gives the request's database connection back before its response is sent. Django itself does it after that, so a client
    that reads slowly would keep one. Stands above all that use the database.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        for connection in connections.all(initialized_only=True):
            if not connection.in_atomic_block:  # of a test; Django itself leaves no block open
                connection.close_if_unusable_or_obsolete()
        return response
