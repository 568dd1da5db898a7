"""The page for what fails for now: too many requests, or a database that is away. It loads itself again."""

import math
import random
from typing import Final

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from chatapp.pages.context import chosen_theme
from sessions_core.api.refusals import to_response
from sessions_core.protocol.errors import RateLimited, Refusal

WAIT_MS: Final = 3_000  # until the page loads itself again, unless the refusal says when
SPREAD_S: Final = 3  # pages that were refused together do not come back together
_NOT_PAGES: Final = ("/api/", "/health/")
# A page that was made without Django's middleware needs a policy of its own.
_POLICY: Final = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


def to_page(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Returns the refusal as a page, or as JSON for whoever asks for that. A form can be sent again from the page; it is the same
    form, so it has one effect (P5). Needs neither the database nor a session.
    """
    answer = to_response(refusal)
    if request.path.startswith(_NOT_PAGES) or not request.accepts("text/html"):
        return answer
    wait_s = math.ceil((refusal.retry_after_ms or WAIT_MS) / 1000)
    context = {
        "sentence": refusal.message,
        "theme": chosen_theme(request),
        "reload_s": wait_s + random.randint(0, SPREAD_S) if request.method in {"GET", "HEAD"} else None,  # noqa: S311
        "address": request.get_full_path(),
        "fields": _fields(request),
    }
    page = HttpResponse(render_to_string("503.html", context), status=refusal.status)
    page["Retry-After"] = str(wait_s)
    page["Cache-Control"] = "no-store"
    page["Content-Security-Policy"] = _POLICY
    return page


def throttled(page: HttpResponse, refusal: RateLimited) -> HttpResponse:
    """Makes the page, which shows the refusal's sentence already, one that says when to try again."""
    page.status_code = refusal.status
    page["Retry-After"] = str(math.ceil((refusal.retry_after_ms or WAIT_MS) / 1000))
    return page


def _fields(request: HttpRequest) -> list[tuple[str, str]]:
    """Returns the fields of the form, to send it again. A form with a password is not written into a page."""
    try:
        fields = [(name, value) for name, values in request.POST.lists() for value in values]
    except SuspiciousOperation:  # too many fields
        return []
    return [] if any("password" in name for name, _ in fields) else fields
