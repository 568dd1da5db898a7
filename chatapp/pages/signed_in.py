"""The decorator of views for signed-in people. It passes the user as an Author, as `sessions_core` knows people."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django_htmx.middleware import HtmxDetails

from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import NotFound
from sessions_core.services import access

P = ParamSpec("P")


class Request(HttpRequest):
    """A request with the attribute that django-htmx's middleware adds."""

    htmx: HtmxDetails


def signed_in(
    view: Callable[Concatenate[Request, Author, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Passes the Author to the view. Redirects strangers to the sign-in, and turns NotFound into the 404 page."""

    @login_required
    @wraps(view)
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, author(request), *args, **kwargs)  # type: ignore[arg-type]  # the middleware adds htmx
        except NotFound as absent:
            raise Http404(absent.message) from absent

    return wrapped


def author(request: HttpRequest) -> Author:
    """Returns the signed-in user as an Author."""
    if not isinstance(request.user, User):
        raise TypeError(request.user)
    return access.author(request.user)
