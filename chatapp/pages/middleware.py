"""Django middleware of the project."""

from collections.abc import Callable

from django.db import connections
from django.http import HttpRequest, HttpResponse

from chatapp.pages.unavailable import to_page
from sessions_core.protocol.errors import Busy
from sessions_core.services.failures import is_outage, refusal_of


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


class Unavailable:
    """Answers what a page cannot do for now, mostly because the database is away, with 503 and a page that loads itself again.
    `views.errors.server_error` does the same for what fails outside of views.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return to_page(request, refusal_of(error)) if isinstance(error, Busy) or is_outage(error) else None
