"""What each address of the API does besides its own methods: HEAD, OPTIONS, 405 and the headers of every answer."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt

from sessions_core.api.refusals import answer
from sessions_core.protocol.errors import MethodNotAllowed, NotFound

_ALWAYS: Final = {"HEAD", "OPTIONS"}

View = Callable[..., HttpResponseBase]


def edged(patterns: Iterable[URLPattern | URLResolver]) -> list[URLPattern | URLResolver]:
    """The same addresses, each view inside `edge`."""
    return [
        URLPattern(pattern.pattern, edge(pattern.callback), pattern.default_args, pattern.name)
        if isinstance(pattern, URLPattern)
        else pattern
        for pattern in patterns
    ]


def edge(view: View) -> View:
    """The view, asked by HEAD as by GET, telling its methods to OPTIONS, and refusing others in the API's form."""

    @wraps(view)
    def edged_view(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        asked = request.method
        request.method = "GET" if asked == "HEAD" else asked
        response = view(request, *args, **kwargs)
        if isinstance(response, HttpResponseNotAllowed):
            response = _methods(response, refused=asked != "OPTIONS")
        response.headers.setdefault("Cache-Control", "no-store")  # answers are one person's, and change
        patch_vary_headers(response, ("Authorization", "Cookie"))
        if asked == "HEAD" and isinstance(response, HttpResponse):
            response["Content-Length"] = str(len(response.content))
            response.content = b""
        return response

    return edged_view


@csrf_exempt  # there is nothing to protect, and its page would not be JSON
def unknown(_request: HttpRequest, **_address: object) -> HttpResponse:
    """An address below /api/ at which there is nothing."""
    return answer(NotFound())


def _methods(response: HttpResponseNotAllowed, *, refused: bool) -> HttpResponse:
    allowed = {method.strip() for method in response["Allow"].split(",")}
    told = answer(MethodNotAllowed()) if refused else HttpResponse(status=204)
    told["Allow"] = ", ".join(sorted(allowed | (_ALWAYS if "GET" in allowed else {"OPTIONS"})))
    return told
