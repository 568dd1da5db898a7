"""Authenticates each request of the API: a script by its Bearer token, or a signed-in browser by cookie and CSRF token."""

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

from sessions_core.machines.token_bucket import Buckets, Rate
from sessions_core.protocol.author import Author
from sessions_core.protocol.errors import CsrfFailed, RateLimited
from sessions_core.services import access, callers

logger = logging.getLogger(__name__)

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_BURST_S: Final = 4  # seconds' worth of requests that may come at once


class ApiRequest(HttpRequest):
    """An authenticated request: ninja sets `auth` to what one of the classes below returned."""

    auth: Author


class BearerToken(HttpBearer):
    """`Authorization: Bearer <token>`, of `manage.py issue_token`."""

    @override
    def __call__(self, request: HttpRequest) -> Author | None:
        secret = callers.bearer_token(request.headers.get("Authorization", ""))
        return None if secret is None else self.authenticate(request, secret)

    @override
    def authenticate(self, request: HttpRequest, token: str) -> Author:
        caller = callers.by_token(token, address=callers.address_of(request))
        author = _rate_limited(caller.author())
        if request.method not in SAFE_METHODS:
            caller.check_can_write()
        return author


class SignedInBrowser(APIKeyCookie):
    """The cookie of Django's session; whatever changes something needs the header `X-CSRFToken` as well."""

    param_name = settings.SESSION_COOKIE_NAME

    @override
    def __call__(self, request: HttpRequest) -> Author | None:
        return self.authenticate(request, request.COOKIES.get(self.param_name))

    @override
    def authenticate(self, request: HttpRequest, key: str | None) -> Author | None:
        user = request.user  # Django's middleware has read the cookie
        if isinstance(user, AnonymousUser):
            return None
        if request.method not in SAFE_METHODS:
            _check_csrf(request)
        return _rate_limited(access.author(user))


class _CsrfCheck(CsrfViewMiddleware):
    """Django's check, raising a Refusal where Django renders a page."""

    def _reject(self, request: HttpRequest, reason: str) -> NoReturn:
        logger.warning("Refused for CSRF (%s): %s", reason, request.path)
        raise CsrfFailed


def _check_csrf(request: HttpRequest) -> None:
    """Raises CsrfFailed. Ninja exempts its views from the middleware in MIDDLEWARE, because a token needs no CSRF check."""
    request.csrf_processing_done = False  # type: ignore[attr-defined]  # set by that middleware; process_view would return
    check = _CsrfCheck(_not_called)
    check.process_request(request)
    check.process_view(request, _not_called, (), {})


def _not_called(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def _rate_limited(author: Author) -> Author:
    """Takes one request from the user's bucket. Raises RateLimited."""
    wait_s = _buckets().take(author.user, now_s=time.monotonic())
    if wait_s:
        raise RateLimited(retry_after_ms=int(wait_s * 1000) + 1)
    return author


@cache
def _buckets() -> Buckets:
    return Buckets(Rate(per_s=settings.API_RATE, burst=settings.API_RATE * _BURST_S))
