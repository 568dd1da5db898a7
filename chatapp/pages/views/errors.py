"""Error pages that need a view of their own."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001  # Django's signature
    """Shows that the form is older than the present sign-in, with the typed text, so that it is not lost."""
    return render(request, "403_csrf.html", {"typed": request.POST.get("text", "")}, status=403)
