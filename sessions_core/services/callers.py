"""Identifies the user behind a request or a WebSocket, by Bearer token or by login cookie. Every gateway asks here."""

import logging
import time
from collections.abc import Collection
from importlib import import_module
from math import ceil
from typing import Final

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from msgspec import Struct

from sessions_core.machines.token_bucket import Buckets, Rate
from sessions_core.models import ApiToken
from sessions_core.protocol.author import Author
from sessions_core.protocol.clock import now
from sessions_core.protocol.errors import BadOrigin, NotSignedIn, RateLimited, ReadOnly
from sessions_core.protocol.ids import DeviceId, UserId
from sessions_core.protocol.text import is_fit
from sessions_core.services import access, tokens

# Nobody guesses a token, but each unknown one costs a query. By address, in this process.
_unknown_tokens: Final = Buckets(Rate(per_s=10, burst=100))
_FOREIGN: Final = (
    "A page of %s may not open a socket, because browsers reach this server at %s://%s. If they reach it through a proxy, let it"
    " pass on Host (with the port) and X-Forwarded-Proto; or name the page's origin in CSRF_TRUSTED_ORIGINS."
)

logger = logging.getLogger(__name__)


class Caller(Struct, frozen=True):
    """An identified user, with the proof that was accepted: the primary key of a token, or the key of a login and the hash of
    the password at that time. `expired` checks the proof again.
    """

    user: UserId
    name: str
    can_write: bool
    token: int | None = None
    login: str | None = None
    password_hash: str = ""

    def author(self, device: DeviceId | None = None) -> Author:
        """Returns the user as the services know people, on that Device."""
        return Author(user=self.user, name=self.name, device=device)

    def check_can_write(self) -> None:
        """Raises ReadOnly for a token that may only read."""
        if not self.can_write:
            raise ReadOnly("This token may read, but not write.")


def address_of(request: HttpRequest) -> str:
    """Returns the network address of the client, or an empty string for one on a Unix socket."""
    return str(request.META.get("REMOTE_ADDR", ""))


def bearer_token(authorization: str) -> str | None:
    """Returns the token of an Authorization header. None for an empty header or another scheme, which a proxy may use."""
    scheme, _, secret = authorization.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def by_token(secret: str, *, address: str) -> Caller:
    """Returns the token's user. Raises NotSignedIn, and RateLimited for an address that sends many unknown tokens."""
    wait_s = _unknown_tokens.take(address, now_s=time.monotonic())
    if wait_s:
        raise RateLimited(
            "Too many unknown tokens come from your address. Try again in a moment.", retry_after_ms=ceil(wait_s * 1000)
        )
    is_known = True
    try:
        found = tokens.find(secret)
        is_known = found is not None
    finally:
        if is_known:  # or nobody can tell, without the database
            _unknown_tokens.give_back(address)
    if found is None:
        raise NotSignedIn("That token is unknown or was revoked.")
    return Caller(user=found.user, name=found.name, can_write=found.can_write, token=found.token)


def by_upgrade(request: HttpRequest) -> Caller:
    """Returns who sent a WebSocket upgrade. Raises NotSignedIn, and BadOrigin when a page of another origin made the browser
    send its cookie: browsers let any page open a WebSocket, and add the cookie.
    """
    secret = bearer_token(request.headers.get("Authorization", ""))
    if secret is not None:
        return by_token(secret, address=address_of(request))
    _check_origin(request)
    return _by_login(request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""))


def expired(callers: Collection[Caller]) -> set[Caller]:
    """Returns the callers whose proof no longer holds: the token was revoked, the login ended, the password changed, or the
    user was deactivated. Costs one query for each kind of proof, not for each caller.
    """
    hashes = _password_hashes({caller.user for caller in callers})
    live_tokens = _live_tokens([caller.token for caller in callers if caller.token is not None])
    live_logins = _live_logins({caller.login for caller in callers if caller.login is not None})
    return {
        caller
        for caller in callers
        if caller.user not in hashes
        or (caller.token is not None and caller.token not in live_tokens)
        or (
            caller.login is not None
            and (caller.login not in live_logins or caller.password_hash != hashes[caller.user])
        )
    }


def _by_login(key: str) -> Caller:
    if not is_fit(key):  # a quoted cookie may hold `\000`
        raise NotSignedIn
    request = HttpRequest()
    request.session = _login(key)
    user = get_user(request)
    if not isinstance(user, User) or not user.is_active:
        raise NotSignedIn
    author = access.author(user)
    return Caller(
        user=author.user, name=author.name, can_write=True, login=key, password_hash=user.get_session_auth_hash()
    )


def _check_origin(request: HttpRequest) -> None:
    """Raises BadOrigin for a page that could not post a form here either: scheme, host and port are compared, as Django does it.

    Without an Origin the client is no browser: browsers always send it with an upgrade.
    """
    origin = request.headers.get("Origin")
    if origin is not None and not _OriginCheck(lambda _request: HttpResponse()).passes(request):
        logger.warning(_FOREIGN, origin, request.scheme, request.headers.get("Host"))
        raise BadOrigin


class _OriginCheck(CsrfViewMiddleware):
    """Django's own comparison, which knows ALLOWED_HOSTS, CSRF_TRUSTED_ORIGINS and the settings for proxies."""

    def passes(self, request: HttpRequest) -> bool:
        return bool(self._origin_verified(request))  # type: ignore[attr-defined]  # private; tests/ws/test_credentials.py holds it


def _password_hashes(users: Collection[UserId]) -> dict[UserId, str]:
    """Returns the hash that a valid login must hold, for the users who are still active."""
    return {
        UserId(user.pk): user.get_session_auth_hash()
        for user in User.objects.filter(pk__in=users, is_active=True).only("password")
    }


def _live_tokens(keys: Collection[int]) -> set[int]:
    return set(ApiToken.objects.filter(pk__in=keys, revoked_at=None).values_list("pk", flat=True)) if keys else set()


def _live_logins(keys: Collection[str]) -> set[str]:
    model = getattr(_login(""), "model", None)  # the database's session engines have one; others are asked key by key
    if model is None:
        return {key for key in keys if _login(key).exists(key)}
    found = model.objects.filter(session_key__in=keys, expire_date__gt=now()) if keys else ()
    return {login.session_key for login in found}


def _login(key: str) -> SessionBase:
    """Returns Django's session of that key: what this project calls a login, because a Session is a conversation here."""
    store: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore(key)
    return store
