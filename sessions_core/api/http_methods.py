"""Answers HEAD, OPTIONS and wrong methods at each address of the API, and sets the headers that every response has."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt

from sessions_core.api.refusals import to_response
from sessions_core.protocol.errors import MethodNotAllowed, NotFound

_ADDED: Final = {"HEAD", "OPTIONS"}

View = Callable[..., HttpResponseBase]


def wrap_all(patterns: Iterable[URLPattern | URLResolver]) -> list[URLPattern | URLResolver]:
    """Returns the same patterns with each view wrapped."""
    return [
        URLPattern(pattern.pattern, wrap(pattern.callback), pattern.default_args, pattern.name)
        if isinstance(pattern, URLPattern)
        else pattern
        for pattern in patterns
    ]


def wrap(view: View) -> View:
    """Returns a view that answers HEAD like GET without the body, OPTIONS with the allowed methods, and others with a 405 in
    the API's form.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        method = request.method
        request.method = "GET" if method == "HEAD" else method
        response = view(request, *args, **kwargs)
        if isinstance(response, HttpResponseNotAllowed):
            response = _allowed_methods(response, refused=method != "OPTIONS")
        response.headers.setdefault("Cache-Control", "no-store")  # responses are one person's, and change
        patch_vary_headers(response, ("Authorization", "Cookie"))
        if method == "HEAD" and isinstance(response, HttpResponse):
            response["Content-Length"] = str(len(response.content))
            response.content = b""
        return response

    return wrapped


@csrf_exempt  # nothing is changed here, and Django's page for a missing CSRF token is not JSON
def not_found(_request: HttpRequest, **_address: object) -> HttpResponse:
    """The view of every address below /api/ that has no route."""
    return to_response(NotFound())


def _allowed_methods(response: HttpResponseNotAllowed, *, refused: bool) -> HttpResponse:
    methods = {method.strip() for method in response["Allow"].split(",")}
    replaced = to_response(MethodNotAllowed()) if refused else HttpResponse(status=204)
    replaced["Allow"] = ", ".join(sorted(methods | (_ADDED if "GET" in methods else {"OPTIONS"})))
    return replaced
