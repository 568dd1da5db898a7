"""Bearer tokens of the HTTP API and the socket. The only writer of ApiToken.

A token is shown once, when it is issued; only its SHA-256 is stored. A secret of 256 random bits needs no slow hash. A guess is
hashed before it is looked up, so the time of the look-up says nothing about the secrets in the table.
"""

import hashlib
import secrets
from datetime import timedelta
from functools import partial
from typing import Final

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Q
from msgspec import Struct

from sessions_core import hints
from sessions_core.models import ApiToken
from sessions_core.protocol import clock, text
from sessions_core.protocol.ids import UserId

PREFIX: Final = "ds_"  # so that people and secret scanners recognise a token in a file
_HINT_CHARACTERS: Final = len(PREFIX) + 5  # shown in lists; about 226 bits stay unknown
_LABEL_CHARACTERS: Final = 100  # as the column has
_USE_WRITTEN_EVERY: Final = timedelta(minutes=1)  # a busy script must not cost one write per request
# Plain SQL, because every upgrade and every request of a script runs it: with the two models it took four times as long.
_FIND: Final = """
    SELECT t.id, t.user_id, coalesce(nullif(trim(concat(u.first_name, ' ', u.last_name)), ''), u.username), t.can_write,
           t.last_used_at IS NULL OR t.last_used_at <= now() - make_interval(secs => %s)
    FROM api_token t JOIN auth_user u ON u.id = t.user_id
    WHERE t.digest = %s AND t.revoked_at IS NULL AND u.is_active
"""


class Bearer(Struct, frozen=True):
    """A valid token: its primary key, its user with their name, and whether it may write."""

    token: int
    user: UserId
    name: str
    can_write: bool


def issue(user: User, *, label: str = "", can_write: bool = True) -> str:
    """Creates a token of the user and returns it. It cannot be read again later."""
    secret = PREFIX + secrets.token_urlsafe(32)
    ApiToken.objects.create(
        user=user,
        label=text.shorten(label, _LABEL_CHARACTERS),
        hint=secret[:_HINT_CHARACTERS],
        digest=_digest(secret),
        can_write=can_write,
    )
    return secret


def find(secret: str) -> Bearer | None:
    """Returns the token, or None when it is unknown, revoked, or of a user who is not active."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [_USE_WRITTEN_EVERY.total_seconds(), _digest(secret)])
        row = cursor.fetchone()
    if row is None:
        return None
    token, user, name, can_write, stale = row
    if stale:
        _write_use(token)
    return Bearer(token=token, user=UserId(user), name=name, can_write=can_write)


def revoke(token: ApiToken) -> None:
    """Revokes the token for good; the Connections that it opened are closed soon after. Doing it again changes nothing."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=clock.now())
    transaction.on_commit(partial(hints.signal_access, UserId(token.user_id)), robust=True)


def _write_use(token: int) -> None:
    now = clock.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - _USE_WRITTEN_EVERY)
    ApiToken.objects.filter(stale, pk=token).update(last_used_at=now)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
