"""Bearer tokens of the HTTP API and the socket. The only writer of ApiToken.

A token is shown once, when it is made; what is kept is its SHA-256. 256 bits of chance need no slow hash, and looking the digest
up by its index takes the same time for every guess.
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
from sessions_core.protocol import clock
from sessions_core.protocol.ids import UserId

PREFIX: Final = "ds_"  # so that a token found in a file can be told for what it is
_HINT: Final = len(PREFIX) + 5  # letters shown in lists; 227 bits stay unknown
_LABEL: Final = 100  # letters, as the column has
_USE_NOTED_EVERY: Final = timedelta(minutes=1)  # a busy script must not cost one write per request
# Plain SQL: every upgrade and every call of a script asks this, and two models took four times as long as the query.
_FIND: Final = """
    SELECT t.id, t.user_id, coalesce(nullif(trim(concat(u.first_name, ' ', u.last_name)), ''), u.username), t.can_write,
           t.last_used_at IS NULL OR t.last_used_at <= now() - make_interval(secs => %s)
    FROM api_token t JOIN auth_user u ON u.id = t.user_id
    WHERE t.digest = %s AND t.revoked_at IS NULL AND u.is_active
"""


class Bearer(Struct, frozen=True):
    """Whoever showed a token that may be used: the token's key, its user and their name, and what it allows."""

    token: int
    user: UserId
    name: str
    can_write: bool


def issue(user: User, *, label: str = "", can_write: bool = True) -> str:
    """A new token of the user: the one moment at which it can be read."""
    secret = PREFIX + secrets.token_urlsafe(32)
    ApiToken.objects.create(
        user=user, label=label[:_LABEL], hint=secret[:_HINT], digest=_digest(secret), can_write=can_write
    )
    return secret


def find(secret: str) -> Bearer | None:
    """Whose token it is, if it may be used now: not revoked, and of a user who is still active."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [_USE_NOTED_EVERY.total_seconds(), _digest(secret)])
        row = cursor.fetchone()
    if row is None:
        return None
    token, user, name, can_write, stale = row
    if stale:
        _note_use(token)
    return Bearer(token=token, user=UserId(user), name=name, can_write=can_write)


def revoke(token: ApiToken) -> None:
    """Ends the token for good, and soon the Connections that it opened; a second time changes nothing."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=clock.now())
    transaction.on_commit(partial(hints.signal_access, UserId(token.user_id)), robust=True)


def _note_use(token: int) -> None:
    now = clock.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - _USE_NOTED_EVERY)
    ApiToken.objects.filter(stale, pk=token).update(last_used_at=now)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
