"""Who calls: the signed-in browser, with its CSRF token, or a script with a bearer token."""

import logging
import time
from functools import cache
from typing import Final, NoReturn

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from ninja.security import HttpBearer
from ninja.security.apikey import APIKeyCookie
from typing_extensions import override

from sessions_core.machines.token_bucket import Buckets
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import CsrfFailed, NotSignedIn, RateLimited, ReadOnly
from sessions_core.services import access, tokens

logger = logging.getLogger(__name__)

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_BURST_S: Final = 4  # seconds' worth of requests that may come at once


class Asked(HttpRequest):
    """A request whose caller is known: `auth` was set by one of the ways below."""

    auth: Author


class BearerToken(HttpBearer):
    """`Authorization: Bearer <token>`, of `manage.py issue_token`."""

    @override
    def __call__(self, request: HttpRequest) -> Author | None:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None  # nothing said, or meant for a proxy in between: the cookie may tell
        return self.authenticate(request, secret.strip())

    @override
    def authenticate(self, request: HttpRequest, token: str) -> Author:
        found = tokens.find(token)
        if found is None:
            raise NotSignedIn("That token is unknown or was revoked.")
        author = _counted(Author(user=found.user, name=found.name))
        if request.method not in SAFE_METHODS and not found.can_write:
            raise ReadOnly("This token may read, but not write.")
        return author


class SignedInBrowser(APIKeyCookie):
    """The cookie of Django's session; whatever changes something needs the header `X-CSRFToken` as well."""

    param_name = settings.SESSION_COOKIE_NAME

    @override
    def __call__(self, request: HttpRequest) -> Author | None:
        return self.authenticate(request, request.COOKIES.get(self.param_name))

    @override
    def authenticate(self, request: HttpRequest, key: str | None) -> Author | None:
        user = request.user
        if isinstance(user, AnonymousUser):
            return None
        if request.method not in SAFE_METHODS:
            _check_csrf(request)
        return _counted(access.author(user))


class _CsrfCheck(CsrfViewMiddleware):
    """Django's check, which raises where it would render a page."""

    def _reject(self, request: HttpRequest, reason: str) -> NoReturn:
        logger.warning("Refused for CSRF (%s): %s", reason, request.path)
        raise CsrfFailed


def _check_csrf(request: HttpRequest) -> None:
    """Raises CsrfFailed. The one in MIDDLEWARE passes ninja's views by, so that tokens need none."""
    request.csrf_processing_done = False  # type: ignore[attr-defined]  # Django's own mark
    check = _CsrfCheck(_not_called)
    check.process_request(request)
    check.process_view(request, _not_called, (), {})


def _not_called(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def _counted(author: Author) -> Author:
    wait_s = _buckets().take(author.user, now_s=time.monotonic())
    if wait_s:
        raise RateLimited(retry_after_ms=int(wait_s * 1000) + 1)
    return author


@cache
def _buckets() -> Buckets:
    return Buckets(rate_per_s=settings.API_RATE, burst=settings.API_RATE * _BURST_S)
