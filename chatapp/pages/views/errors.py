"""Pages for what went wrong, in the look of the others."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001  # Django's signature
    """A form that is older than the sign-in it belonged to; what was typed is shown, so that it is not lost."""
    return render(request, "403_csrf.html", {"typed": request.POST.get("text", "")}, status=403)
