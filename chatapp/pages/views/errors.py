"""Error pages that need a view of their own."""

import sys

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults

from chatapp.pages.unavailable import to_page
from sessions_core.services.failures import is_outage, refusal_of


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001  # Django's signature
    """Shows that the form is older than the present sign-in, with the typed text, so that it is not lost."""
    return render(request, "403_csrf.html", {"typed": request.POST.get("text", "")}, status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Shows that something broke, or 503 while the database is away. Django calls it while it handles the exception."""
    error = sys.exc_info()[1]
    if isinstance(error, Exception) and is_outage(error):
        return to_page(request, refusal_of(error))
    return defaults.server_error(request)
