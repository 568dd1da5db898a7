"""Who opens a socket, and whether they still may be here. Sync: run it through the bridge."""

from collections.abc import Collection
from importlib import import_module
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, parse_cookie
from django.http.request import split_domain_port, validate_host
from msgspec import Struct

from sessions_core.models import ApiToken
from sessions_core.protocol.clock import now
from sessions_core.protocol.errors import BadOrigin, NotSignedIn
from sessions_core.protocol.ids import UserId
from sessions_core.services import access, tokens

_LOCAL: Final = ("localhost", "127.0.0.1", "[::1]")  # Django's own answer to DEBUG without ALLOWED_HOSTS


class Caller(Struct, frozen=True):
    """Who is at the other end, and by which proof: a token's key, or a login's key with the stamp of the password."""

    user: UserId
    name: str
    can_write: bool
    token: int | None = None
    login: str | None = None
    stamp: str = ""


def identify(headers: Collection[tuple[bytes, bytes]]) -> Caller:
    """Who sent these headers of an upgrade. Raises NotSignedIn, and BadOrigin for a cookie sent by another site's page."""
    given = {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in headers}
    scheme, _, secret = given.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _by_token(secret.strip())
    if not _is_own_page(given.get("origin"), given.get("host", "")):
        raise BadOrigin
    return _by_cookie(parse_cookie(given.get("cookie", "")).get(settings.SESSION_COOKIE_NAME, ""))


def expired(callers: Collection[Caller]) -> set[Caller]:
    """Those whose token was revoked, whose login ended, whose password changed, or who may not sign in any more."""
    stamps = _stamps({caller.user for caller in callers})
    live_tokens = _live_tokens([caller.token for caller in callers if caller.token is not None])
    live_logins = _live_logins({caller.login for caller in callers if caller.login is not None})
    return {
        caller
        for caller in callers
        if caller.user not in stamps
        or (caller.token is not None and caller.token not in live_tokens)
        or (caller.login is not None and (caller.login not in live_logins or caller.stamp != stamps[caller.user]))
    }


def _by_token(secret: str) -> Caller:
    found = tokens.find(secret)
    if found is None:
        raise NotSignedIn
    return Caller(user=found.user, name=found.name, can_write=found.can_write, token=found.token)


def _by_cookie(key: str) -> Caller:
    request = HttpRequest()
    request.session = _logins(key)
    user = get_user(request)
    if not isinstance(user, User) or not user.is_active:
        raise NotSignedIn
    author, stamp = access.author(user), user.get_session_auth_hash()
    return Caller(user=author.user, name=author.name, can_write=True, login=key, stamp=stamp)


def _is_own_page(origin: str | None, host: str) -> bool:
    """A browser always says which page opened the socket; what says nothing is no browser, and no other site's page."""
    if origin is None:
        return True
    netloc = urlsplit(origin).netloc
    if netloc and netloc == host:
        return True
    allowed = settings.ALLOWED_HOSTS or (_LOCAL if settings.DEBUG else ())
    domain, _ = split_domain_port(netloc)
    # `*` says that this server answers to any name, not that any site may speak for our users.
    return bool(domain) and validate_host(domain, [name for name in allowed if name != "*"])


def _stamps(users: Collection[UserId]) -> dict[UserId, str]:
    return {
        UserId(user.pk): user.get_session_auth_hash()
        for user in User.objects.filter(pk__in=users, is_active=True).only("password")
    }


def _live_tokens(keys: Collection[int]) -> set[int]:
    return set(ApiToken.objects.filter(pk__in=keys, revoked_at=None).values_list("pk", flat=True)) if keys else set()


def _live_logins(keys: Collection[str]) -> set[str]:
    model = getattr(_logins(""), "model", None)  # of the database's engines; others are asked one by one
    if model is None:
        return {key for key in keys if _logins(key).exists(key)}
    found = model.objects.filter(session_key__in=keys, expire_date__gt=now()) if keys else ()
    return {login.session_key for login in found}


def _logins(key: str) -> SessionBase:
    made: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore(key)
    return made
